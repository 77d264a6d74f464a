"""Review & go live: everything in the buyer's words, what stands in the way, the test-fires, the two switches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from models.characters import visible
from models.product import Mode, Product
from models.saved import RunRow
from screens.lines import Lines
from screens.run_text import verdict_mark
from screens.theme import MUTED
from screens.things import charge_of
from wizard import flow
from wizard.fulfillment.lives import label_of as what_of
from wizard.going_live import go_live
from wizard.preview import thank_you, wanted_mails
from wizard.session import ChangedElsewhere, Session
from wizard.wording import label_of

if TYPE_CHECKING:
    from screens.app import WizardApp
    from screens.product import ProductScreen
    from wizard.preflight import Finding


class ReviewPage(VerticalScroll, can_focus=False):
    """One page to decide on. Enter on a finding jumps to the field it is about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mode", "Demo/Live", id="review.mode", tooltip="Take test orders, or real payments"),
        Binding("p", "publish", "Publish", id="review.publish", tooltip="Show it to buyers, or hide it"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(id="page-review")
        self.session = session
        self.findings: list[Finding] = []
        self.runs: list[RunRow] = []
        self.lines = Lines("findings")

    @property
    def wizard(self) -> WizardApp:
        """The app, by its own type."""
        return cast("WizardApp", self.app)

    def compose(self) -> ComposeResult:
        """The summary, the findings, the runs."""
        yield Static("Review & go live", classes="heading", markup=False)
        yield Static("", id="summary", markup=False)
        yield Static("", id="findings-heading", classes="heading", markup=False)
        yield self.lines
        yield Static("", id="review-runs", markup=False)

    def show(self, product: Product) -> None:
        """Show the answers as they are stored now, and look for what stands in the way."""
        self.query_one("#summary", Static).update(self.summary(product))
        self.look()

    def start(self, path: str | None = None) -> None:
        """Start in the list of findings, the summary above it in sight: how far it would scroll away otherwise
        hangs on whether the findings are there yet."""
        self.lines.focus(scroll_visible=False)

    def summary(self, product: Product) -> Content:
        """The product as a buyer meets it."""
        account, today = self.session.around.account, self.wizard.clock().date()
        charges = [charge_of(price, product.pricing.currency, today) for price in product.pricing.prices]
        access = product.post_sale.access
        host = self.wizard.settings.host_name
        received = label_of(access.kind, host) if access.kind else "not chosen yet"
        templates = product.post_sale.notifications
        mails = [name for name in wanted_mails(product, account) if getattr(templates, name).enabled]
        labels = {q.name: q.ask.label for m in flow.modules() for q in m.questions}
        rows = [
            ("Buyers see", product.general.buyers_name),
            ("They pay", "; ".join(charge or "a price that is not complete" for charge in charges) or "no price yet"),
            ("With", ", ".join(gateway.label for gateway in product.checkout.gateways) or "nothing yet"),
            ("They receive", f"{received}: {access.kind.hint}" if access.kind else received),
            ("They read", thank_you(product, account).partition("\n")[0]),
            ("Mails", ", ".join(labels[name] for name in mails) or "none"),
        ]
        return Content("\n").join(Content.assemble((f"{name:<14}", MUTED), value) for name, value in rows)

    @work(exclusive=True, group="look")
    async def look(self) -> None:
        """Run the preflight and read the test-fires of this revision, away from the keys."""
        from wizard import preflight

        saved, store = self.session.saved, self.wizard.shelf

        def read() -> tuple[list[Finding], list[RunRow]]:
            inspected = preflight.inspect(store, saved.slug, self.wizard.clock())
            return preflight.check(inspected), list(store.runs(saved.slug, limit=5))

        try:
            self.findings, self.runs = await self.wizard.desk.do(read)
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return
        self._show_findings()

    def _show_findings(self) -> None:
        errors = sum(finding.level == "error" for finding in self.findings)
        warnings = len(self.findings) - errors
        counted = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
        heading = f"Before you go live: {' and '.join(counted)}" if counted else "Ready: nothing stands in the way"
        self.query_one("#findings-heading", Static).update(Content(f"\n{heading}"))
        rows = [
            Content.assemble("✗ " if f.level == "error" else "! ", f.message, (f"  {f.rule}", MUTED))
            for f in self.findings
        ]
        # Never without a line: a list that is hidden loses the focus, and with it the keys of this page.
        self.lines.put(rows or [Content("✓ m takes real payments, p shows it to buyers")])
        saved = self.session.saved
        runs = [
            f"{verdict_mark(run)} {what_of(run)}, "
            f"{self.wizard.local(run.started_at):%d %b %H:%M}"
            + ("" if run.revision == saved.revision else ", before the last changes")
            + (f": {visible(run.reason, '')}" if run.reason else "")
            for run in self.runs
        ]
        text = "\n".join(runs) or "none yet: F5 fires a purchase"
        self.query_one("#review-runs", Static).update(Content.assemble(("\nTest-fires\n", "bold"), text))

    @on(OptionList.OptionSelected)
    async def _jump(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self.findings):
            await cast("ProductScreen", self.screen).go_to(self.findings[event.option_index].field, explain=True)

    @work(exclusive=True, group="switch")
    async def action_mode(self) -> None:
        """Demo or Live. Live is refused while an error stands."""
        if self.session.saved.mode is Mode.DEMO:
            errors = await self._do(go_live, self.wizard.shelf, self.session, self.wizard.clock())
            if errors:
                self.wizard.say(f"Live is refused: {errors[0].message}", severity="error", title="Still in Demo")
        else:
            await self._do(self.session.switch, Mode.DEMO)

    @work(exclusive=True, group="switch")
    async def action_publish(self) -> None:
        """Published or unpublished."""
        await self._do(self.session.switch, None, not self.session.saved.published)

    async def _do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Work on the desk; what it raises is said, and the page shows what stands now."""
        screen = cast("ProductScreen", self.screen)
        try:
            return await self.wizard.desk.do(work, *arguments)
        except ChangedElsewhere as changed:
            screen.settle(changed)
        except Exception as error:
            self.wizard.say(str(error), severity="error", title="Not switched")
        finally:
            screen.show()
        return None
