"""The wizard: the steps of one product, a page for each module, and what the buyer will get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from models.product import Product
from screens.bars import KeyLine, TopLine
from screens.controls import LineControl, TextControl
from screens.form import Answered, Asking, Ended, Field, Writing, widget_id
from screens.outline import Outline, StepClicked, StepLine
from screens.page import Page
from screens.preview import Preview
from screens.things import Things
from wizard import flow
from wizard.preview import consequence
from wizard.problems import Misfits, Problem
from wizard.session import ChangedElsewhere, Session

if TYPE_CHECKING:
    from screens.app import WizardApp

REVIEW = "review"
PLACE_AFTER = 0.4
"""Seconds a field must have the focus before it is remembered as the seller's place."""
PREVIEW_AFTER = 0.08
"""Seconds of quiet before the preview follows what is being written."""


class ProductScreen(Screen[None]):
    """One product in the wizard. It composes and routes; the session decides."""

    CSS_PATH = "product.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "fire", "Test-fire", id="product.fire", tooltip="Carry out a test purchase of this product"),
        Binding("ctrl+b", "go(-1)", "Back", id="product.back", tooltip="To the page before"),
        Binding("ctrl+f", "go(1)", "Next", id="product.next", tooltip="To the next page"),
        Binding("ctrl+g", "go_to", "Go to", id="product.go_to", tooltip="To any page or question"),
        Binding("f8", "undo", "Undo", show=False, id="product.undo", tooltip="Take back the last accepted answer"),
        Binding("f9", "redo", "Redo", show=False, id="product.redo", tooltip="Give the answer again"),
        Binding("f7", "runs", "Runs", show=False, id="product.runs", tooltip="The test-fires of this product"),
        Binding("f3", "preview", "Preview", show=False, id="product.preview", tooltip="What your buyer gets"),
        Binding("escape", "leave", "Products", id="product.leave", tooltip="Back to the list; everything is saved"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.top = TopLine()
        self.step_line = StepLine()
        self.outline = Outline()
        self.switcher = ContentSwitcher(id="pages")
        self.preview = Preview()
        self.order = [module.id for module in flow.modules()] + [REVIEW]
        self.current = ""
        self._drafts: dict[str, Any] = {}

    @property
    def wizard(self) -> WizardApp:
        """The app, by its own type."""
        return cast("WizardApp", self.app)

    def compose(self) -> ComposeResult:
        """The bars, the outline, the page, the preview."""
        yield self.top
        yield self.step_line
        with Horizontal(id="body"):
            yield self.outline
            with Vertical(id="middle"):
                yield self.switcher
            yield self.preview
        yield KeyLine()

    async def on_mount(self) -> None:
        """Open the page where the seller left."""
        self.things = Things(self.wizard, self.session, self._store, self.show)
        place = self.session.saved.place
        try:
            module = flow.module_of(place).id if place and place != REVIEW else (place or self.order[0])
        except KeyError:
            module, place = self.order[0], ""
        await self.open_page(module, place or None)

    # pages

    @property
    def page(self) -> Widget | None:
        """The page that is shown."""
        return self.switcher.query_one(f"#{self.switcher.current}") if self.switcher.current else None

    async def open_page(self, module_id: str, path: str | None = None) -> None:
        """Show a page, made on the first visit, and put the focus on the field of a path."""
        self.give_drafts()
        page_id = f"page-{widget_id(module_id)}"
        if not self.switcher.query(f"#{page_id}"):
            await self.switcher.add_content(self._make(module_id))
        self.current = module_id
        self.switcher.current = page_id
        self.show()
        self.call_after_refresh(self._start, path)

    def _make(self, module_id: str) -> Widget:
        if module_id == REVIEW:
            from screens.review import ReviewPage

            return ReviewPage(self.session)
        module = next(module for module in flow.modules() if module.id == module_id)
        if module_id == "post_sale.notifications":
            from screens.notifications import NotificationsPage

            return NotificationsPage(module, self.session, self.things, self._store)
        return Page(module, self.session.answers, self.things)

    def _start(self, path: str | None) -> None:
        start = getattr(self.page, "start", None)
        if start is not None:
            start(path)

    def show(self) -> None:
        """Paint everything that depends on the answers."""
        saved, around = self.session.saved, self.session.around
        self.top.left = saved.answers.general.name or saved.slug
        self.top.middle = f"{saved.mode.label} · {'Published' if saved.published else 'Unpublished'}"
        self.top.right = f"saved {self.wizard.local(saved.updated_at):%H:%M}"
        self.step_line.show(saved.answers, around, self.current)
        self.outline.show(saved.answers, around, self.current)
        self._show_page(saved.answers)
        self._show_preview(saved.answers)
        self.refresh_bindings()

    def _show_page(self, product: Product) -> None:
        page = self.page
        if isinstance(page, Page):
            page.show(product)
            page.form.show_problems(self._problems_of(page))
            page.say(consequence(page.module.id, product, self.things.session.around, self.wizard.clock().date()))
        elif page is not None:
            page.show(product)  # type: ignore[attr-defined]

    def _problems_of(self, page: Page) -> list[Problem]:
        refused = [Problem(f.path, f.error) for f in page.form.every_field() if f.error and f.path in self._drafts]
        reviews = [problem for problem in self.session.conflicts() if page.form.field_at(problem.path)]
        return refused + reviews

    def _show_preview(self, product: Product) -> None:
        if self.preview.display:
            self.preview.show(product, self.session, self.wizard)

    # answers

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        event.stop()
        self.run_worker(self._accept(event.path, event.answer), group="answers")

    async def _accept(self, path: str, answer: Any) -> bool:
        """Store an answer; show what is wrong at its field. True when it was stored."""
        field = self._field(path)
        try:
            await self._store(path, answer)
        except Misfits as misfits:
            self._refuse(path, answer, misfits.problems)
        except ChangedElsewhere as changed:
            self._settle(changed)
        except Exception as error:  # nothing that storing may raise must cost the seller what was written
            self._drafts[path] = answer
            if field is not None:
                field.show_error(str(error))
            self.wizard.say(str(error), severity="error", title="Not saved")
        else:
            return True
        return False

    async def _store(self, path: str, answer: Any) -> None:
        outcome = await self.wizard.desk.do(self.session.answer, path, answer)
        self._drafts.pop(path, None)
        field = self._field(path)
        if field is not None and field.error:
            field.show_error(None)
        self.show()
        for note in outcome.notes:
            if field is not None:
                field.show_note(note)

    def _refuse(self, path: str, answer: Any, problems: tuple[Problem, ...]) -> None:
        self._drafts[path] = answer
        field = self._field(path)
        own = next((p.message for p in problems if p.path == path or p.path.startswith(f"{path}.")), None)
        if field is not None:
            # A rule of another answer was broken: say at this field which one, for it is this one that was refused.
            field.show_error(own or "; ".join(f"{place_of(p.path)}: {p.message}" for p in problems))

    @on(Writing)
    def _writing(self, event: Writing) -> None:
        event.stop()
        self._drafts[event.path] = event.answer
        problems = self.session.check(event.path, event.answer)
        field = self._field(event.path)
        if field is not None and field.error:
            if problems:
                self._refuse(event.path, event.answer, tuple(problems))
            else:
                field.show_error(None)
        if not problems and self.preview.display:
            product = flow.with_value(self.session.answers, event.path, event.answer)
            self.preview.follow(product, self.session, self.wizard, PREVIEW_AFTER)

    def _field(self, path: str) -> Field | None:
        page = self.page
        return page.form.field_at(path) if isinstance(page, Page) else None

    @work(group="settle", exclusive=True)
    async def _settle(self, changed: ChangedElsewhere) -> None:
        from screens.changed import ChangedDialog

        keep = await self.app.push_screen_wait(ChangedDialog(changed))
        try:
            await self.wizard.desk.do(self.session.take, changed.stored, changed.mine, keep or set())
        except ChangedElsewhere as again:
            self._settle(again)
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not saved")
        self._drafts.clear()
        self.show()

    @on(Asking)
    @work(group="dialogue", exclusive=True)
    async def _asking(self, event: Asking) -> None:
        """Open the dialogue that a field asks for, and come back to the field."""
        try:
            await self.things.ask(event)
        except ChangedElsewhere as changed:
            self._settle(changed)
        except Misfits as misfits:
            self._refuse(event.path, None, misfits.problems)
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not saved")
        self.show()

    # leaving

    def give_drafts(self) -> None:
        """Hand over what is being written on the page that is about to be left."""
        if isinstance(self.page, Page):
            self.page.form.give_all()

    async def give_all(self) -> None:
        """Store what is being written, and wait until it is: the app is about to end."""
        page = self.page
        if isinstance(page, Page):
            for field in page.form.every_field():
                if isinstance(field.control, LineControl | TextControl) and field.control.is_dirty:
                    await self._accept(field.path, field.control.written)

    async def action_leave(self) -> None:
        """Back to the list."""
        await self.give_all()
        if self.page is not None and isinstance(self.page, Page):
            wrong = [f for f in self.page.form.every_field() if f.display and f.error and f.path in self._drafts]
            if wrong:
                label = wrong[0].question.ask.label
                self.wizard.say(f"{label} was not saved: {wrong[0].error}", severity="warning", title="Left unsaved")
        self.dismiss(None)

    # moving

    @on(DescendantFocus)
    def _focused(self, event: DescendantFocus) -> None:
        field = next((a for a in event.widget.ancestors_with_self if isinstance(a, Field)), None)
        path = field.path if field is not None else (REVIEW if self.current == REVIEW else self.current)
        self._remember(path)

    @work(exclusive=True, group="place", exit_on_error=False)
    async def _remember(self, path: str) -> None:
        import asyncio

        await asyncio.sleep(PLACE_AFTER)
        await self.wizard.desk.do(self.session.remember, path)

    async def action_go(self, by: int) -> None:
        """To the next page, or the one before."""
        at = self.order.index(self.current) + by
        if 0 <= at < len(self.order):
            await self.open_page(self.order[at])

    @on(Ended)
    async def _ended(self, event: Ended) -> None:
        event.stop()
        await self.action_go(1)

    @on(StepClicked)
    async def _step_clicked(self, event: StepClicked) -> None:
        await self.open_page(event.page)

    @work(exclusive=True, group="dialogue")
    async def action_go_to(self) -> None:
        """Choose where to go."""
        from screens.go_to import GoTo

        path = await self.app.push_screen_wait(GoTo(self.session, self.current))
        if path is not None:
            await self.go_to(path)

    async def go_to(self, path: str) -> None:
        """Open the page of a question and put the focus on it."""
        if path == REVIEW:
            await self.open_page(REVIEW)
            return
        module = flow.module_of(path)
        await self.open_page(module.id, path if path != module.id else None)

    # actions

    @work(group="answers")
    async def action_undo(self) -> None:
        """Take back the last accepted answer."""
        await self._step_back(self.session.undo, "There is nothing to undo.", "Undone")

    @work(group="answers")
    async def action_redo(self) -> None:
        """Give the answer again."""
        await self._step_back(self.session.redo, "There is nothing to redo.", "Done again")

    async def _step_back(self, step: Any, nothing: str, done: str) -> None:
        try:
            outcome = await self.wizard.desk.do(step)
        except ChangedElsewhere as changed:
            self._settle(changed)
            return
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not saved")
            return
        if outcome is None:
            self.wizard.say(nothing)
            return
        path = outcome.changes[0].path if outcome.changes else self.current
        self._drafts.pop(path, None)
        await self.go_to(path)
        self.wizard.say(f"{done}: {place_of(path)}")

    @work(exclusive=True, group="dialogue")
    async def action_fire(self) -> None:
        """Carry out a test purchase of the product as it is saved now."""
        from screens.fire import FireScreen

        await self.give_all()
        await self.app.push_screen_wait(FireScreen(self.session.saved))
        self.show()

    @work(exclusive=True, group="dialogue")
    async def action_runs(self) -> None:
        """Show the test-fires of this product."""
        from screens.runs import RunsScreen

        await self.app.push_screen_wait(RunsScreen(self.session.saved.slug))

    @work(exclusive=True, group="dialogue")
    async def action_preview(self) -> None:
        """Show what the buyer gets on a screen of its own: for terminals with no room beside the page."""
        from screens.preview import PreviewScreen

        await self.app.push_screen_wait(PreviewScreen(self.session))


def place_of(path: str) -> str:
    """A path as a seller would say it: the label of its question, with the row's number."""
    try:
        question = flow.question_at(path)
    except KeyError:
        return path
    numbers = [int(part) + 1 for part in path.split(".") if part.isdecimal()]
    return f"{question.ask.label} ({', '.join(map(str, numbers))})" if numbers else question.ask.label
