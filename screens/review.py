"""Review & go live: everything in the buyer's words, what stands in the way, the test-fires, the two switches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from models.account import Connection, ConnectionKind
from models.characters import visible
from models.events import Verdict
from models.product import Product
from models.saved import RunRow
from screens.host import HasHost
from screens.run_text import mark_of
from screens.theme import MUTED
from screens.things import Things, charge_of
from screens.widgets.lines import Lines, hanging
from screens.widgets.waiting import told_meanwhile
from wizard import flow
from wizard.editing.going_live import turn_switch
from wizard.editing.switches import (
    GO_LIVE,
    QUESTIONS,
    Turn,
    change_of,
    counted,
    is_selling,
    needs_asking,
    standing,
    turn_of_mode,
    turn_of_visibility,
    warned,
)
from wizard.preview import thank_you, wanted_mails
from wizard.sale.lives import label_of as label_of_run
from wizard.sale.options import received
from wizard.sale.options.integrated import connection_of
from wizard.session import ChangedElsewhere, Session
from wizard.wording import label_of

if TYPE_CHECKING:
    from wizard.preflight import Finding


CHECKED_BY = "PF-03"
"""The rule of the preflight that a check of the connection settles."""


class Pages(Protocol):
    """The wizard that the review is a page of, as far as it knows it."""

    things: Things

    async def go_to(self, path: str, explain: bool = False) -> None:
        """Go to a question."""

    def settle(self, changed: ChangedElsewhere) -> None:
        """Ask which side of a change elsewhere is taken."""

    def show(self) -> None:
        """Show what stands now."""


class ReviewPage(HasHost, VerticalScroll, can_focus=False):
    """One page to decide on. Enter on a finding jumps to the field it is about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "go_live", "Go live", id="review.live", tooltip="Take real payments; it asks first"),
        Binding("m", "go_back", "Back to Demo", id="review.demo", tooltip="Take test orders only"),
        Binding("p", "publish", "Publish", id="review.publish", tooltip="Show it to buyers; it asks first"),
        Binding("c", "check", "Check connection", id="review.check", tooltip="Ask the platform whether it works, now"),
        Binding("p", "unpublish", "Unpublish", id="review.unpublish", tooltip="Hide it from buyers"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(id="page-review")
        self.session = session
        self._found: list[Finding] | None = None
        self.runs: list[RunRow] = []
        self.lines = Lines("findings")

    @property
    def findings(self) -> list[Finding]:
        """What stands in the way, as far as it is known."""
        return self._found or []

    def compose(self) -> ComposeResult:
        """How the switches stand, the summary, the findings, the runs."""
        yield Static("Review & go live", classes="heading", markup=False)
        yield Static("", id="standing", markup=False)
        yield Static("", id="summary", markup=False)
        yield Static("", id="findings-heading", classes="heading", markup=False)
        yield self.lines
        yield Static("", id="review-runs", markup=False)

    def show(self, product: Product) -> None:
        """Show the answers as they are stored now, and look for what stands in the way."""
        self._show_standing()
        self.query_one("#summary", Static).update(self.summary(product))
        self.look()

    def start(self, path: str | None = None) -> None:
        """Start in the list of findings, the summary above it in sight: how far it would scroll away otherwise
        hangs on whether the findings are there yet."""
        self.lines.focus(scroll_visible=False)

    @property
    def _room(self) -> int:
        """Cells in a line of this page."""
        return max(40, (self.size.width or self.app.size.width - 2) - 1)

    def _show_standing(self) -> None:
        saved = self.session.saved
        head, told = standing(saved)
        line = self.query_one("#standing", Static)
        line.set_class(is_selling(saved), "-selling")
        mark = "✓ " if is_selling(saved) else ""
        line.update(Content.assemble((f"{mark}{head}: ", "bold"), told))

    def summary(self, product: Product) -> Content:
        """The product as a buyer meets it."""
        account, today = self.session.around.account, self.wizard.clock().date()
        charges = [charge_of(price, product.pricing.currency, today) for price in product.pricing.prices]
        templates = product.post_sale.notifications
        mails = [name for name in wanted_mails(product, account) if getattr(templates, name).enabled]
        labels = {q.name: q.ask.label for m in flow.modules() for q in m.questions}
        rows = [
            ("Buyers see", product.general.buyers_name),
            ("They pay", "\n".join(charge or "a price that is not complete" for charge in charges) or "no price yet"),
            ("With", ", ".join(gateway.label for gateway in product.checkout.gateways) or "nothing yet"),
            ("They receive", self._received(product)),
            ("They read", thank_you(product, account).partition("\n")[0]),
            ("Mails", ", ".join(labels[name] for name in mails) or "none"),
        ]
        lines = (hanging(Content.styled(f"{name:<14}", MUTED), Content(value), self._room) for name, value in rows)
        return Content("\n").join(lines)

    def _received(self, product: Product) -> str:
        kind = product.post_sale.access.kind
        chosen = f"{label_of(kind, self.wizard.settings.host_name)}: {kind.hint}" if kind else "not chosen yet"
        return received(product, self.session.around) or chosen

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """Run the preflight and read the test-fires of this revision, away from the keys."""
        try:
            await self._look()
        except Exception as error:
            self._found = None
            if self.is_attached:
                self._show_findings(f"It is not known what stands in the way: {error}")
            return
        if self.is_attached:
            self._show_findings()
            self.refresh_bindings()

    async def _look(self) -> None:
        from wizard import preflight

        saved, store = self.session.saved, self.wizard.shelf

        def read() -> tuple[list[Finding], list[RunRow]]:
            inspected = preflight.inspect(store, saved.slug, self.wizard.clock())
            return preflight.check(inspected), list(store.runs(saved.slug, limit=5))

        self._found, self.runs = await self.wizard.desk.do(read)

    def _show_findings(self, unknown: str = "Looking for what stands in the way …") -> None:
        saved, room = self.session.saved, self._room
        found = counted(self.findings)
        is_live = turn_of_mode(saved) is not GO_LIVE
        before = "To put right while it is live" if is_live else "Before you go live"
        ready = "Nothing to put right" if is_live else "Ready: nothing stands in the way"
        heading = unknown if self._found is None else f"{before}: {found}" if found else ready
        self.query_one("#findings-heading", Static).update(Content(f"\n{heading}"))
        rows = [hanging(Content(_mark(finding)), Content(finding.message), room) for finding in self.findings]
        # Never without a line: a list that is hidden loses the focus, and with it the keys of this page.
        mark = "✓" if self._found == [] else "·"
        self.lines.put(rows or [Content(f"{mark} m and p turn the two switches")])
        told = [*self._runs(room)] or [Content("none yet: F5 fires a purchase")]
        text = Content("\n").join([*told, *self._reservations(room)])
        self.query_one("#review-runs", Static).update(Content.assemble(("\nTest-fires\n", "bold"), text))

    def _runs(self, room: int) -> Iterator[Content]:
        """The last test-fires, each on a line or two."""
        for run in self.runs:
            when = f"{self.wizard.local(run.started_at):%d %b %H:%M}"
            old = "" if run.revision == self.session.saved.revision else ", before the last changes"
            reason = f": {visible(run.reason, '')}" if run.reason else ""
            yield hanging(Content(f"{mark_of(run)} "), Content(f"{label_of_run(run)}, {when}{old}{reason}"), room)

    def _reservations(self, room: int) -> Iterator[Content]:
        """What the test-fires have not shown."""
        connection = self._connection
        if connection and connection.kind is ConnectionKind.SANDBOX and any(map(_has_passed, self.runs)):
            told = f"Proven only on {connection.name}, a platform that the wizard plays: no real one was asked."
            yield hanging(Content("! "), Content(told), room)

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        if self.session.saved:
            self.query_one("#summary", Static).update(self.summary(self.session.answers))
            self._show_findings()

    @on(OptionList.OptionSelected)
    async def _jump(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self.findings):
            await cast("Pages", self.screen).go_to(self.findings[event.option_index].field, explain=True)

    # --- the connection ---------------------------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection | None:
        """The connection that lets buyers in, if one does."""
        return connection_of(self.session.answers, self.session.account.account)

    @work(exclusive=True, group="check")
    async def action_check(self) -> None:
        """Ask the platform whether the connection works, and look at the findings again."""
        connection, screen = self._connection, cast("Pages", self.screen)
        if connection is None:
            return

        def say(text: str) -> None:
            self.query("#findings-heading").first(Static).update(Content(f"\n{text}"))

        try:
            said = await told_meanwhile(screen.things.check(connection.slug), say, f"Checking {connection.name}")
        except Exception as error:
            said = str(error)
        self.wizard.say(said, title=connection.name)
        self.look()

    # --- the switches -----------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Of each switch, offer the way it can be turned."""
        saved = self.session.saved
        match action:
            case "go_live" | "go_back":
                return (action == "go_live") == (turn_of_mode(saved) is GO_LIVE)
            case "publish" | "unpublish":
                return (action == "unpublish") == saved.published
            case "check":
                return self._connection is not None and any(finding.rule == CHECKED_BY for finding in self.findings)
        return True

    def action_go_live(self) -> None:
        """Demo to Live. Refused while an error stands."""
        self._turn(turn_of_mode(self.session.saved))

    def action_go_back(self) -> None:
        """Live to Demo."""
        self._turn(turn_of_mode(self.session.saved))

    def action_publish(self) -> None:
        """Show it to buyers."""
        self._turn(turn_of_visibility(self.session.saved))

    def action_unpublish(self) -> None:
        """Hide it from buyers."""
        self._turn(turn_of_visibility(self.session.saved))

    @work(exclusive=True, group="switch")
    async def _turn(self, turn: Turn) -> None:
        """Ask where it matters, then turn a switch."""
        from screens.dialog import Question

        try:
            await self._look()  # what is asked about is what stands now, however soon the key came
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not switched")
            return
        saved, shelf, now = self.session.saved, self.wizard.shelf, self.wizard.clock()
        if turn is GO_LIVE and (errors := [finding for finding in self.findings if finding.level == "error"]):
            self._refuse(errors)
            return
        if needs_asking(turn, saved):
            title = QUESTIONS[turn].format(name=saved.answers.general.name or saved.slug)
            told = "\n\n".join(filter(None, (change_of(turn, saved), warned(turn, self.findings))))
            if not await self.app.push_screen_wait(Question(title, told)):
                return
        if refused := await self._do(turn_switch, shelf, self.session, turn, now):
            self._refuse(refused)

    def _refuse(self, errors: list[Finding]) -> None:
        self.wizard.say(f"Live is refused: {errors[0].message}", severity="error", title="Still in Demo")

    async def _do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Work on the desk; what it raises is said, and the page shows what stands now."""
        screen = cast("Pages", self.screen)
        try:
            return await self.wizard.desk.do(work, *arguments)
        except ChangedElsewhere as changed:
            screen.settle(changed)
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not switched")
        finally:
            screen.show()
        return None


def _has_passed(run: RunRow) -> bool:
    return run.verdict is Verdict.PASSED and not run.fault


def _mark(finding: Finding) -> str:
    return "✗ " if finding.level == "error" else "! "
