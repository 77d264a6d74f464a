"""What a form needs to know of the seller's things, and the dialogues that choose, create, change and remove them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from textual.content import Content

from models.account import Calendar, Connection, File, Membership, Webinar
from models.ask import Answers, Suggestion
from models.pricing import PricePoint
from screens.dialog import Question
from screens.form_dialog import FormDialog
from screens.picker import Picker
from screens.theme import MUTED
from screens.widgets.choices import Rows
from screens.widgets.controls import Item
from screens.widgets.form import Asking
from wizard import charges, flow
from wizard.wording import row_in_words

if TYPE_CHECKING:
    from screens.host import Host
    from wizard.session import Session
    from wizard.store.account import OwnedKind

KINDS: dict[str, type[Membership] | type[Connection] | type[File] | type[Calendar] | type[Webinar]] = {
    "membership": Membership,
    "connection": Connection,
    "file": File,
    "calendar": Calendar,
    "webinar": Webinar,
}
"""The seller's things by what the questions call them."""

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
        self._accept = accept
        """Stores an answer of the product; raises what the session raises."""
        self._changed = changed
        """Called after one of the things changed."""
        self._product_names: dict[str, str] = {}

    # what forms ask

    def items(self, question: flow.Question, path: str) -> list[Item]:
        """The levels of the chosen membership."""
        hosted = self.session.answers.post_sale.access.hosted_membership
        membership = self.session.around.membership(hosted.membership)
        return [Item(level, level) for level in membership.levels] if membership else []

    def names(self, question: flow.Question) -> dict[str, str]:
        """The seller's things of the question's subject: slug to name."""
        owned = getattr(self.session.account.account, f"{question.ask.subject}s", ())
        return {thing.slug: thing.name for thing in owned}

    def line(self, question: flow.Question, row: Any, number: int) -> Content:
        """One row of a list, on one line."""
        if isinstance(row, PricePoint):
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
            await self._accept(event.path, (*rows[:at], row, *rows[at + 1 :]))
            return True

        title = f"{name.capitalize()} {at + 1}" if at < len(rows) else f"A new {name}"
        draft = rows[at] if at < len(rows) else model()
        said = self._charge if model is PricePoint else None
        below = f"{event.path}.{at}"
        await self.app.push_screen_wait(FormDialog(title, draft, self, accept, below=below, said=said))

    async def _rearranged(self, event: Asking, rows: tuple[Any, ...], name: str, told: str = "") -> bool:
        at = event.row
        if at is None or event.what not in ("remove", "up", "down"):
            return False
        if event.what == "remove":
            if await self.app.push_screen_wait(Question(f"Remove {name}{told}?", "F8 in the wizard undoes it.")):
                await self._accept(event.path, (*rows[:at], *rows[at + 1 :]))
            return True
        to = max(0, min(len(rows) - 1, at + (-1 if event.what == "up" else 1)))
        rest = (*rows[:at], *rows[at + 1 :])
        await self._accept(event.path, (*rest[:to], rows[at], *rest[to:]))
        if (field := event.form.field_at(event.path)) is not None and isinstance(field.control, Rows):
            field.control.highlighted = to
        return True

    def _charge(self, price: Any) -> str:
        return charge_of(price, self.session.answers.pricing.currency, self.app.clock().date())

    async def _rows_of_products(self, event: Asking) -> None:
        taken = tuple(self.session.answers.checkout.bumps)
        if await self._rearranged(event, taken, "this bump offer"):
            return

        async def fetch(text: str) -> list[Item]:
            page = await self.app.desk.do(self.app.shelf.products, text, limit=12)
            return [
                Item(row.slug, row.name, "" if row.published else "unpublished")
                for row in page.rows
                if row.slug != self.session.saved.slug and row.slug not in taken
            ]

        slug = await self.app.push_screen_wait(Picker("Which product do you offer on top?", fetch))
        if slug is not None:
            at = event.row if event.what == "edit" and event.row is not None else len(taken)
            await self._accept(event.path, (*taken[:at], slug, *taken[at + 1 :]))

    async def _choose(self, event: Asking) -> None:
        subject = event.question.ask.subject
        assert subject is not None
        chosen = flow.value_at(self.session.answers, event.path)
        if event.what == "add" or not getattr(self.session.account.account, f"{subject}s"):
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
            owned = getattr(self.session.account.account, f"{subject}s")
            wanted = text.casefold()
            return [
                Item(thing.slug, thing.name, self._hint(thing))
                for thing in owned
                if wanted in thing.name.casefold() or wanted in thing.slug
            ]

        async def remove(slug: str) -> None:
            await self.app.desk.do(self.app.shelf.remove, cast("OwnedKind", subject), slug)
            await self._look_again()

        return Picker(
            f"Which {subject}?",
            fetch,
            chosen=chosen,
            create=lambda: self._create(subject),
            change=lambda slug: self._change(subject, slug),
            remove=remove,
            check=self.check if subject == "connection" else None,
        )

    def _hint(self, thing: Any) -> str:
        match thing:
            case Membership():
                return ", ".join(thing.levels)
            case Connection():
                check = self.session.account.checks.get(thing.slug)
                state = "not checked yet" if check is None else "works" if check.works else "does not work"
                return f"{thing.kind.label}, {state}"
            case File():
                stored = self.session.account.files.get(thing.slug)
                return f"{stored.filename}, {stored.size:,} bytes" if stored else ""
            case Calendar():
                return thing.kind.label
        return ""

    async def _create(self, subject: str) -> str | None:
        async def accept(thing: Any) -> str:
            added = await self.app.desk.do(self.app.shelf.add, thing)
            await self._look_again()
            return str(added.slug)

        return await self._open(f"A new {subject}", KINDS[subject](), accept)

    async def _change(self, subject: str, slug: str) -> str | None:
        owned = getattr(self.session.account.account, f"{subject}s")
        thing = next((thing for thing in owned if thing.slug == slug), None)
        if thing is None:
            return None

        async def accept(changed: Any) -> str:
            stored = await self.app.desk.do(self.app.shelf.put, changed, slug)
            await self._look_again()
            return str(stored.slug)

        return await self._open(thing.name, thing, accept)

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
        await self.app.desk.do(self.session.look_again)
        self._changed()


def charge_of(price: PricePoint, currency: str, today: dt.date) -> str:
    """What a purchase today costs, in words; nothing while the price is not complete."""
    try:
        return charges.in_words(price, currency, today)
    except ValueError:
        return ""


def price_line(price: PricePoint, number: int, currency: str, today: dt.date) -> Content:
    """A price point on one line: its number, its label or type, and the charge in words."""
    name = Content(price.label or price.type.label).truncate(18, ellipsis=True)
    said = charge_of(price, currency, today) or "not complete: Enter opens it"
    return Content.assemble(f"{number + 1}  ", name, " " * (18 - name.cell_length + 2), (said, MUTED))
