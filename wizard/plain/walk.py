"""The whole wizard line by line: a product, its steps, and what stands between it and its buyers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from models.account import Owned
from models.product import Mode, Product
from wizard import flow, preflight, progress
from wizard.editing import settling
from wizard.editing.answering import Answering, ProductAnswers
from wizard.editing.cabinet import Cabinet
from wizard.editing.draft import Draft
from wizard.editing.going_live import turn_switch
from wizard.editing.switches import QUESTIONS, Turn, change_of, standing, turn_of_mode, turn_of_visibility
from wizard.flow import Module, Step
from wizard.plain.asking import Asker
from wizard.plain.firing import fire_purchase
from wizard.plain.lines import Back, Console, Leave, number_in
from wizard.plain.things import Things
from wizard.problems import Misfits
from wizard.session import ChangedElsewhere, Session, said_of
from wizard.store.errors import Corrupt, StoreError, Unavailable

if TYPE_CHECKING:
    from wizard.settings import Settings
    from wizard.store import Store

WELCOME = "Enter keeps what stands in brackets, ? explains, < goes back, - empties an answer, :q leaves. All is saved."


class Walk:
    """One sitting of a seller."""

    def __init__(
        self,
        lines: Console,
        store: Store,
        who: str,
        host: str,
        clock: Callable[[], datetime],
        settings: Settings | None,
    ) -> None:
        self._settings = settings
        self._lines = lines
        self._store = store
        self._who = who
        self._host = host
        self._clock = clock

    def run(self) -> None:
        """Choose a product and go through it, until the seller leaves. Raises the store's `Unavailable`."""
        self._lines.say(WELCOME)
        for why in self._store.account().broken.values():
            self._lines.say(f"  ! {why}")
        try:
            while True:
                slug = self._chosen()
                try:
                    self._product(slug)
                except Back:
                    continue
                except StoreError as error:
                    if isinstance(error, Unavailable) and not isinstance(error, Corrupt):
                        raise
                    self._lines.say(f"  ! {error}")  # it is about this product: the others can be read
        except Leave as leave:
            self._lines.say(f"{leave}" if leave.args else "Saved. Until next time.")

    # --- which product ----------------------------------------------------------------------------------------------

    def _chosen(self) -> str:
        search, after = "", None
        while True:
            page = self._store.products(search, after=after, limit=20)
            for number, row in enumerate(page.rows, start=1):
                state = "complete" if row.complete else "incomplete"
                live = f"{row.mode.label}, {'published' if row.published else 'unpublished'}"
                self._lines.say(f"  {number} {row.name} ({row.slug}) – {live}, {state}")
            more = ", m for more" if page.after else ""
            prompt = f"Product (a number, n for a new one, / and words to search{more}):"
            try:
                text = self._lines.read(prompt, "Which product do you want to work on?").strip()
            except Back:
                search, after = "", None
                continue
            if chosen := number_in(text, len(page.rows)):
                return page.rows[chosen - 1].slug
            if text == "m" and page.after:
                after = page.after
            elif text.startswith("/"):
                search, after = text[1:].strip(), None
            elif text == "n":
                if slug := self._created():
                    return slug
            elif any(row.slug == text for row in page.rows):
                return text
            elif text:
                self._lines.say(f"  ! there is no product {text[:60]}: write its number, or n for a new one")

    def _created(self) -> str | None:
        question = flow.question_at("general.name")
        while True:
            try:
                name = self._lines.read(f"{question.ask.label}:", question.ask.help).strip()
            except Back:
                return None
            if not name:
                return None
            try:
                answers: Product = flow.with_value(Product(), "general.name", name)
                return self._store.create(answers.general.name or name, self._who, answers).slug
            except Misfits as misfits:
                self._lines.say(f"  ! {misfits.problems[0].message}")
            except StoreError as error:
                self._lines.say(f"  ! {error}")

    # --- a product --------------------------------------------------------------------------------------------------

    def _product(self, slug: str) -> None:
        session = Session(self._store, slug, self._who)
        steps, at = flow.steps(), 0
        while True:
            self._overview(session, steps)
            prompt = f"Step (a number, Enter for {steps[at].label}):"
            text = self._lines.read(prompt, "Steps may be visited in any order; every answer is saved.").strip()
            if number := number_in(text, len(steps)):
                at = number - 1
            elif text:
                self._lines.say(f"  ! there is no step {text[:20]}: write a number from 1 to {len(steps)}")
                continue
            try:
                if steps[at].modules:
                    self._step(session, steps[at])
                else:
                    while not self._undisturbed(session, partial(self._review, session)):
                        pass
                at = min(at + 1, len(steps) - 1)
            except Back:
                at = max(at - 1, 0)

    def _overview(self, session: Session, steps: tuple[Step, ...]) -> None:
        saved = session.saved
        self._lines.say()
        live = f"{saved.mode.label}, {'published' if saved.published else 'unpublished'}"
        self._lines.say(f"{saved.answers.general.name or saved.slug} – {live}")
        for number, step in enumerate(steps, start=1):
            state = session.survey.of(step) if step.modules else None
            self._lines.say(f"  {number} {step.label}" + (f": {state.label.lower()}" if state else ""))

    def _step(self, session: Session, step: Step) -> None:
        at, direction = 0, 1
        while at < len(step.modules):
            if at < 0:
                raise Back
            try:
                module = step.modules[at]
                direction = int(self._undisturbed(session, partial(self._module, session, module)))
            except Back:
                direction = -1
            at += direction

    def _module(self, session: Session, module: Module) -> None:
        state = session.states[module.id]
        self._lines.say()
        self._lines.say(f"{module.label}: {state.label.lower()}. {module.help}")
        for problem in session.problems():
            if flow.id_of(problem.path).startswith(module.group or "-") and state is progress.State.NEEDS_REVIEW:
                self._lines.say(f"  ! {problem.message}")
        session.remember(module.questions[0].id)
        below = module.group or flow.step_of(module).id
        self._asker(ProductAnswers(session), session).ask_all(module.questions, below)

    def _asker(self, form: Answering, session: Session) -> Asker:
        def ask_all(draft: Draft[Owned]) -> None:
            self._asker(draft, session).ask_all(flow.questions_of(type(draft.model)), "")

        things = Things(self._lines, Cabinet(self._store, session), ask_all)
        return Asker(self._lines, form, things, self._host, self._clock().date())

    # --- somebody else's changes ------------------------------------------------------------------------------------

    def _undisturbed(self, session: Session, action: Callable[[], None]) -> bool:
        """Do something with the product. Whether nobody else changed it meanwhile; if they did, it is settled now."""
        try:
            action()
        except ChangedElsewhere as change:
            self._settle(session, change)
            return False
        return True

    def _settle(self, session: Session, change: ChangedElsewhere) -> None:
        """Show what somebody else changed and go on from there, however often it is changed again. Raises Leave."""
        now: ChangedElsewhere | None = change
        while now is not None:
            given = self._tell(now)
            kept = given if given and self._keeps_own() else set()
            try:
                now = settling.go_on(session, now, kept)
            except Misfits as misfits:
                self._lines.say(f"  ! yours does not fit theirs: {misfits.problems[0].message}")
            except StoreError as error:
                if not kept:
                    raise
                self._lines.say(f"  ! {error}")

    def _tell(self, change: ChangedElsewhere) -> set[str]:
        """Say what somebody else changed; give back the paths of what this seller was answering: only that is theirs to
        keep, everything else here is what the other one changed."""
        differences = settling.differences(change, self._host)
        if not differences:
            self._lines.say(said_of(change))
            return set()
        self._lines.say("Somebody else changed this product meanwhile:")
        for each in differences:
            self._lines.say(f"  {each.label}: {each.theirs} ({each.who}); yours: {each.mine}")
        return {each.path for each in differences if each.is_given}

    def _keeps_own(self) -> bool:
        while True:
            try:
                text = self._lines.read("Keep yours or theirs? (y or t)", "Nothing was overwritten.").strip().lower()
            except Back:
                continue
            if text in ("y", "t"):
                return text == "y"

    # --- review -----------------------------------------------------------------------------------------------------

    def _review(self, session: Session) -> None:
        findings = self._inspected(session)
        if self._has_fired(session):
            findings = self._inspected(session)  # how it went is one of the things that may stand in the way
        if preflight.may_go_live(findings) or session.saved.mode is Mode.LIVE:
            self._turn(session, turn_of_mode(session.saved))
        else:
            errors = sum(finding.level == "error" for finding in findings)
            listed = "the error above is" if errors == 1 else f"the {errors} errors above are"
            self._lines.say(f"It cannot go live yet: first {listed} to be put right.")
        self._turn(session, turn_of_visibility(session.saved))

    def _inspected(self, session: Session) -> list[preflight.Finding]:
        """What stands in the way, which is said."""
        findings = preflight.check(preflight.inspect(self._store, session.saved.slug, self._clock()))
        self._lines.say()
        if not findings:
            self._lines.say("Preflight: nothing stands in the way.")
        for finding in findings:
            self._lines.say(f"  {finding.level}: {finding.message} ({finding.rule})")
        return findings

    def _has_fired(self, session: Session) -> bool:
        """Offer a test-fire; whether there was one."""
        if self._settings is None:
            return False
        from wizard.runs.destinations import destinations, in_words

        places = destinations(session.answers, self._store.account(), self._settings)
        if places:
            self._lines.say(f"This test-fire leaves this machine. {in_words(places)}")
        where = "there" if places else "in the sandbox"
        if not self._agreed(f"Test-fire a purchase {where}, to see what a buyer gets?"):
            return False
        fire_purchase(self._lines, self._store, self._settings, session.saved.slug)
        return True

    def _turn(self, session: Session, turn: Turn) -> None:
        """Ask whether a switch is to be turned, what that changes first; say afterwards what is true."""
        if not self._agreed(f"{change_of(turn, session.saved)} {QUESTIONS[turn].format(name='it')}"):
            return
        for refused in turn_switch(self._store, session, turn, self._clock()):
            self._lines.say(f"  ! Live is refused: {refused.message}")
        self._lines.say(": ".join(standing(session.saved)))

    def _agreed(self, question: str) -> bool:
        while True:
            text = self._lines.read(f"{question} (y, Enter is no)").strip().lower()
            if text in ("y", "yes", "n", "no", ""):
                return text in ("y", "yes")
            self._lines.say("  ! write y, or press Enter for no")
