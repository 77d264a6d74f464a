"""What a form needs to know of the seller's things, and the dialogues that choose, create, change and remove them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textual.content import Content

from models.ask import Answers, Suggestion
from models.pricing import PricePoint
from screens.dialog import Question
from screens.form_dialog import FormDialog
from screens.picker import Picker
from screens.theme import MUTED
from screens.widgets.choices import Rows
from screens.widgets.controls import Item
from screens.widgets.form import Asking
from wizard import flow
from wizard.editing import rows as rows_of
from wizard.editing.cabinet import Cabinet
from wizard.wording import row_in_words

if TYPE_CHECKING:
    from screens.host import Host
    from wizard.session import Session

Accept = Callable[[str, Any], Awaitable[None]]


def a(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class Things:
    """The source of the forms about one product."""

    def __init__(self, app: Host, session: Session, accept: Accept, changed: Callable[[], None]) -> None:
        self.app = app
        self.session = session
        self.host = app.settings.host_name
        self.cabinet = Cabinet(app.shelf, session)
        self._accept = accept
        """Stores an answer of the product; raises what the session raises."""
        self._changed = changed
        """Called after one of the things changed."""
        self._product_names: dict[str, str] = {}

    # what forms ask

    def items(self, question: flow.Question, path: str) -> list[Item]:
        """The levels of the membership that is chosen beside the question."""
        scope = flow.value_at(self.session.answers, path.rpartition(".")[0])
        return [Item(level, level) for level in self.cabinet.levels(scope)]

    def names(self, question: flow.Question) -> dict[str, str]:
        """The seller's things of the question's subject: slug to name."""
        return {thing.slug: thing.name for thing in self.cabinet.owned(question.ask.subject or "")}

    def line(self, question: flow.Question, row: Any, number: int) -> Content:
        """One row of a list, on one line."""
        if rows_of.is_price(row):
            return price_line(row, number, self.session.answers.pricing.currency, self.app.clock().date())
        if isinstance(row, str):
            other = self.session.around.products.get(row)
            return Content(f"{number + 1}  {other.name if other else row}")
        return Content(f"{number + 1}  {row_in_words(question, row)}")

    def fixed(self, path: str) -> str:
        """Why a switch is on and cannot be turned."""
        return self.session.fixed(path)

    def suggested(self, question: flow.Question) -> Suggestion | None:
        """What the answers of this product suggest."""
        return question.ask.suggested(self.session.answers)

    # what forms want done

    async def ask(self, event: Asking) -> None:
        """Open the dialogue that a field wants, and store what comes of it."""
        kind = event.question.ask.kind
        if kind == "reference":
            await self._choose(event)
        elif kind == "references":
            await self._rows_of_products(event)
        elif kind == "rows":
            await self._rows(event)

    async def _rows(self, event: Asking) -> None:
        rows = tuple(flow.value_at(self.session.answers, event.path))
        name = event.question.ask.row_name
        model = event.question.row
        assert model is not None
        at = event.row if event.row is not None else len(rows)
        told = f": {row_in_words(event.question, rows[at], self.host)}" if at < len(rows) else ""
        if await self._rearranged(event, rows, f"{name} {at + 1}", told):
            return

        async def accept(row: Answers) -> bool:
            await self._accept(event.path, rows_of.with_row(rows, at, row))
            return True

        title = f"{name.capitalize()} {at + 1}" if at < len(rows) else f"A new {name}"
        draft = rows[at] if at < len(rows) else model()
        said = self._charge if rows_of.is_price(draft) else None
        below = f"{event.path}.{at}"
        await self.app.push_screen_wait(FormDialog(title, draft, self, accept, below=below, said=said))

    async def _rearranged(self, event: Asking, rows: tuple[Any, ...], name: str, told: str = "") -> bool:
        at = event.row
        if at is None or event.what not in ("remove", "up", "down"):
            return False
        if event.what == "remove":
            if await self.app.push_screen_wait(Question(f"Remove {name}{told}?", "F8 in the wizard undoes it.")):
                await self._accept(event.path, rows_of.without(rows, at))
            return True
        rearranged, to = rows_of.moved(rows, at, -1 if event.what == "up" else 1)
        await self._accept(event.path, rearranged)
        if (field := event.form.field_at(event.path)) is not None and isinstance(field.control, Rows):
            field.control.highlighted = to
        return True

    def _charge(self, price: Any) -> str:
        return charge_of(price, self.session.answers.pricing.currency, self.app.clock().date())

    async def _rows_of_products(self, event: Asking) -> None:
        taken = tuple(flow.value_at(self.session.answers, event.path))
        if await self._rearranged(event, taken, f"this {event.question.ask.row_name}"):
            return

        async def fetch(text: str) -> list[Item]:
            offers = await self.app.desk.do(self.cabinet.products, text, limit=12)
            return [Item(offer.slug, offer.name, offer.hint) for offer in offers if offer.slug not in taken]

        slug = await self.app.push_screen_wait(Picker("Which product do you offer on top?", fetch))
        if slug is not None:
            at = event.row if event.what == "edit" and event.row is not None else len(taken)
            await self._accept(event.path, rows_of.with_row(taken, at, slug))

    async def _choose(self, event: Asking) -> None:
        subject = event.question.ask.subject
        assert subject is not None
        chosen = flow.value_at(self.session.answers, event.path)
        if event.what == "add" or not self.cabinet.owned(subject):
            slug = await self._create(subject)  # there is nothing to choose from yet
        else:
            slug = await self.app.push_screen_wait(self._picker(subject, chosen))
        if slug is not None and slug != chosen:
            await self._accept(event.path, slug)
        else:
            self._changed()
        if slug is not None:
            event.form.go_on(event.path)

    # the things themselves

    def _picker(self, subject: str, chosen: str | None) -> Picker:
        async def fetch(text: str) -> list[Item]:
            await self._look_again()
            wanted = text.casefold()
            return [
                Item(offer.slug, offer.name, offer.hint)
                for offer in self.cabinet.offered(subject)
                if wanted in offer.name.casefold() or wanted in offer.slug
            ]

        async def remove(slug: str) -> None:
            await self._on_desk(self.cabinet.remove, subject, slug)

        return Picker(
            f"Which {subject}?",
            fetch,
            chosen=chosen,
            create=lambda: self._create(subject),
            change=lambda slug: self._change(subject, slug),
            remove=remove,
            check=self.check if subject == "connection" else None,
        )

    async def _create(self, subject: str) -> str | None:
        async def accept(thing: Any) -> str:
            return str(await self._on_desk(self.cabinet.add, thing))

        return await self._open(f"A new {subject}", self.cabinet.new(subject), accept)

    async def _change(self, subject: str, slug: str) -> str | None:
        thing = self.cabinet.thing(subject, slug)
        if thing is None:
            return None

        async def accept(changed: Any) -> str:
            return str(await self._on_desk(self.cabinet.put, changed, slug))

        return await self._open(thing.name, thing, accept)

    async def _on_desk(self, change: Callable[..., Any], *about: Any) -> Any:
        """Change one of the things, and show what stands afterwards."""
        try:
            return await self.app.desk.do(change, *about)
        finally:
            self._changed()

    async def _open(self, title: str, thing: Answers, accept: Callable[[Any], Awaitable[str]]) -> str | None:
        def about(draft: Any) -> str:
            return str(getattr(draft, "about", ""))

        found: str | None = await self.app.push_screen_wait(FormDialog(title, thing, self, accept, said=about))
        return found

    async def check(self, slug: str) -> str:
        """Check a connection and remember what was found; say it."""
        import asyncio

        from wizard.delivery.connections import check_and_remember

        app = self.app
        try:
            # Not on the desk: a platform may take its time, and answers are to be stored meanwhile.
            check = await asyncio.to_thread(check_and_remember, app.shelf, app.settings, slug, app.clock())
        except KeyError:
            return "This connection has been removed meanwhile."
        await self._look_again()
        return check.detail

    async def _look_again(self) -> None:
        await self.app.desk.do(self.cabinet.look_again)
        self._changed()


def charge_of(price: Any, currency: str, today: dt.date) -> str:
    """What a purchase today costs, in words; nothing while the price is not complete."""
    try:
        return rows_of.charge_of(price, currency, today)
    except ValueError:
        return ""


def price_line(price: PricePoint, number: int, currency: str, today: dt.date) -> Content:
    """A price point on one line: its number, its label or type, and the charge in words."""
    name = Content(rows_of.name_of(price)).truncate(18, ellipsis=True)
    said = charge_of(price, currency, today) or "not complete: Enter opens it"
    return Content.assemble(f"{number + 1}  ", name, " " * (18 - name.cell_length + 2), (said, MUTED))
