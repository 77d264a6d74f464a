"""The page Notifications: the mails to the buyer, on or off, each with its words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from models.post_sale import Notification
from models.product import Product
from screens.form_dialog import FormDialog
from screens.page import heading
from screens.theme import MUTED
from screens.things import Things
from screens.widgets.field import widget_id
from screens.widgets.lines import Lines
from wizard import flow
from wizard.flow import Module
from wizard.mail import templates
from wizard.preview import BUYER, wanted_mails
from wizard.session import Session


class NotificationLines(Lines):
    """One mail a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="notifications.open", tooltip="Change its words, with a preview"),
        Binding("space", "turn", "On/off", id="notifications.turn", tooltip="Send it or not"),
    ]

    def action_turn(self) -> None:
        """Turn the highlighted one."""
        page = next(a for a in self.ancestors if isinstance(a, NotificationsPage))
        page.turn(self.highlighted or 0)


class NotificationsPage(VerticalScroll, can_focus=False):
    """Every notification with its state. Those that a purchase of this product sends come with a mark."""

    def __init__(
        self, module: Module, session: Session, things: Things, store: Callable[[str, Any], Awaitable[None]]
    ) -> None:
        super().__init__(id=f"page-{widget_id(module.id)}")
        self.module, self.session, self.things, self._store = module, session, things, store
        self.lines = NotificationLines(widget_id(module.id))
        self._said = Static("", classes="consequence", markup=False)

    def compose(self) -> ComposeResult:
        """The heading, the list, and what is wrong with the highlighted one."""
        yield from heading(self.module)
        yield self.lines
        yield self._said

    def show(self, product: Product) -> None:
        """Show the templates as they are stored now."""
        sent = wanted_mails(product, self.session.around.account)
        rows = []
        for question in self.module.questions:
            template: Notification = getattr(product.post_sale.notifications, question.name)
            wrong = self._wrong(question.name, template)
            mark = "[x]" if template.enabled else "[ ]"
            note = ("  ! " + wrong) if wrong else ("  sent after a purchase" if question.name in sent else "")
            rows.append(Content.assemble(f"{mark} {question.ask.label:<30}", (note, "" if wrong else MUTED)))
        self.lines.put(rows)
        self._explain()

    def _wrong(self, name: str, template: Notification) -> str:
        """What is wrong with a mail, short enough for its line in the list."""
        lacking = templates.missing(name, template)
        if template.enabled and lacking:
            return "lacks " + templates.in_braces(lacking)
        strange = templates.unfilled(name, template)
        return "nothing fills " + ", ".join(each.written for each in strange) if strange else ""

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        question = self.module.questions[self.lines.highlighted or 0]
        template: Notification = flow.value_at(self.session.answers, question.id)
        may = templates.in_braces(set(templates.usable(question.name)))
        wrong = "".join(f"! {each}\n" for each in templates.unfilled(question.name, template))
        self._said.update(Content(f"{wrong}{question.ask.help}\nIt may use {may}"))

    def start(self, path: str | None = None) -> None:
        """Put the highlight on the notification of a path."""
        names = [question.id for question in self.module.questions]
        for number, name in enumerate(names):
            if path is not None and (path == name or path.startswith(f"{name}.")):
                self.lines.highlighted = number
        self.lines.focus()

    @work(group="answers")
    async def turn(self, at: int) -> None:
        """Send it or not."""
        path = f"{self.module.questions[at].id}.enabled"
        try:
            await self._store(path, not flow.value_at(self.session.answers, path))
        except Exception as error:  # whatever storing raised, the wizard must stay open
            self.things.app.say(str(error), severity="error", title="Not saved")

    @on(OptionList.OptionSelected)
    @work(exclusive=True, group="dialogue")
    async def _open(self, event: OptionList.OptionSelected) -> None:
        question = self.module.questions[event.option_index]
        template: Notification = flow.value_at(self.session.answers, question.id)

        async def accept(changed: Notification) -> bool:
            await self._store(question.id, changed)
            return True

        def read(draft: Notification) -> str:
            product, account = self.session.answers, self.session.around.account
            values = templates.sample_values(product, account, BUYER, self.things.app.clock().date())
            mail = templates.render(draft, values)
            lacking, strange = templates.missing(question.name, draft), templates.unfilled(question.name, draft)
            wrong = [f"lacks {templates.in_braces(lacking)}"] if draft.enabled and lacking else []
            wrong += [str(each) for each in strange]
            told = "".join(f"! {line}\n" for line in wrong)
            return f"{told}{BUYER.name} reads: {mail.subject}\n{mail.body}"

        await self.app.push_screen_wait(
            FormDialog(question.ask.label, template, self.things, accept, below=question.id, said=read)
        )
