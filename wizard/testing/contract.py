"""What every backend promises, as tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, get_args

import pytest

from models.events import Event, Status, Verdict
from models.fulfillment import (
    Action,
    CleanUp,
    Evidence,
    Fact,
    GrantAccess,
    IssueDownloadLink,
    Receipt,
    RegisterAttendee,
    Run,
)
from wizard.delivery.backend import Backend, Check, Context, Manifest, Surroundings
from wizard.delivery.errors import BackendError
from wizard.delivery.outgoing import GuardedTransport, Outgoing, hosts_in
from wizard.delivery.registry import class_of
from wizard.delivery.secrecy import Secrets
from wizard.runs.fire import LeftOut, Workplace, fire
from wizard.runs.fire import test_buyer as a_buyer
from wizard.runs.ledger import MemoryLedger, new_run_id
from wizard.runs.runner import Runner
from wizard.runs.tries import Patience
from wizard.sale.lives import LIVES, PROOF, PROVE, Life, NotThisLife, script_of
from wizard.sale.script import steps_of
from wizard.sale.sold import Sale
from wizard.testing.products import FILENAME, HERE, PRODUCTS, WORKBOOK, account, product_of, receiver

WHAT: Sequence[Event | Life] = (PROOF, LIVES["renewals_then_cancel"], Event.REFUND, Event.PAYMENT_FAILED)
"""What happens to the products that the test brings: together this leads to every action."""

QUICK = Patience(tries=2, one_try=30, first_wait=0, longest_wait=0.1, jitter=0)

T = TypeVar("T")

_open: list[GuardedTransport] = []
"""The ways out of the test that runs: closed where they were opened, in its event loop."""


def surroundings(data_dir: Path, **settings: Any) -> Surroundings:
    """What a backend is given in a test: a data folder, its own settings, and a way out as in a run: to the hosts that
    stand in those settings, also on this machine. The library holds the file of the products that the test brings."""
    named = hosts_in(*(text for text in settings.values() if isinstance(text, str)))
    guard = GuardedTransport({*named, HERE}, allow_private=True)
    _open.append(guard)
    way_out = Outgoing(guard)
    workbook = data_dir / FILENAME
    if not workbook.exists():
        workbook.write_bytes(WORKBOOK)
    return Surroundings(
        data_dir=data_dir,
        client=way_out.client,
        browser=way_out.browser,
        account=account(WORKBOOK),
        path_of_file=lambda slug: workbook,
        settings=settings,
    )


class Unheard(Fact):
    """An action of a version that is yet to come."""

    action: Literal["juggle"] = "juggle"
    target: str = "three-balls"


@dataclass(slots=True)
class Observed:
    """A backend at work, with what it was asked and what it answered, before anything was masked."""

    backend: Backend
    manifest: Manifest = field(init=False)
    performed: list[tuple[Action, Context, Receipt]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.manifest = self.backend.manifest

    async def check(self) -> Check:
        """See `Backend`."""
        return await self.backend.check()

    async def perform(self, action: Action, context: Context) -> Receipt:
        """See `Backend`."""
        receipt = await self.backend.perform(action, context)
        self.performed.append((action, context, receipt))
        return receipt

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """See `Backend`."""
        return await self.backend.verify(action, receipt, context)

    async def clean_up(self, context: Context) -> str:
        """See `Backend`."""
        return await self.backend.clean_up(context)


class ActionsContract:
    """What every backend promises of the actions that its author names."""

    manifest: ClassVar[Manifest]
    """What the entry point names."""
    gives: ClassVar[Sequence[Action]]
    """What a purchase leads to: actions that the backend can carry out. The first one gives the access."""
    takes: ClassVar[Sequence[Action]]
    """What ends it again."""
    secrets: ClassVar[Sequence[str]] = ()
    """The keys and passwords that it is set up with here: none of them may be recorded."""

    @pytest.fixture
    def make(self) -> Callable[[], Backend]:
        """What makes the backend. Each call makes one as a program does that was started anew, in the same world."""
        pytest.fail("give a fixture `make`")

    @pytest.fixture
    def make_broken(self) -> Callable[[], Backend]:
        """What makes one that can deliver nothing: its server is down, or its folder is a file."""
        pytest.fail("give a fixture `make_broken`")

    # --- what it says of itself -----------------------------------------------------------------------------------

    def test_the_manifest_says_where_it_is_and_what_it_can(self, make: Callable[[], Backend]) -> None:
        assert callable(class_of(self.manifest))
        assert make().manifest == self.manifest
        assert self.manifest.can <= known_actions()
        assert {action.action for action in (*self.gives, *self.takes)} <= self.manifest.can

    def test_its_settings_have_a_schema(self, make: Callable[[], Backend]) -> None:
        schema = self.manifest.schema

        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False, "a key that is no setting must be an error"
        json.dumps(schema)

    def test_a_check_says_that_it_works(self, make: Callable[[], Backend]) -> None:
        checked = _done(lambda: make().check())

        assert checked.ok, checked.detail
        assert checked.detail, "a check says in a sentence what was found"

    # --- giving and taking ----------------------------------------------------------------------------------------

    def test_what_was_bought_can_be_used(self, make: Callable[[], Backend]) -> None:
        run, _ = _done(lambda: _carried_out(make(), self.gives))

        assert run.verdict is Verdict.PASSED, run.reason
        given = run.steps[0].evidence
        assert given is not None, "what gives access must be verified"
        assert given.allowed, given.detail

    def test_the_same_key_gives_the_same_receipt_also_after_a_restart(self, make: Callable[[], Backend]) -> None:
        async def repeated() -> None:
            _, first = await _carried_out(make(), self.gives)
            for backend in (first.backend, make()):
                for action, context, receipt in first.performed:
                    again = await backend.perform(action, context)
                    assert _said(again) == _said(receipt), f"{action.action} with the same key gave another receipt"
                action, context, receipt = first.performed[0]
                evidence = await backend.verify(action, receipt, context)
                assert evidence.allowed, f"after the same key was used again: {evidence.detail}"

        _done(repeated)

    def test_what_was_taken_can_no_longer_be_used(self, make: Callable[[], Backend]) -> None:
        run, _ = _done(lambda: _carried_out(make(), self.gives, self.takes))

        assert run.verdict is Verdict.PASSED, run.reason
        ended = run.steps[len(self.gives)]
        assert ended.evidence is not None, "what takes access away must be verified"
        assert not ended.evidence.allowed, ended.evidence.detail

    def test_taking_twice_is_harmless(self, make: Callable[[], Backend]) -> None:
        run, _ = _done(lambda: _carried_out(make(), self.gives, self.takes, self.takes))

        assert run.verdict is Verdict.PASSED, run.reason

    # --- errors ---------------------------------------------------------------------------------------------------

    def test_an_action_that_it_does_not_know_is_refused(self, make: Callable[[], Backend]) -> None:
        async def juggled() -> None:
            _, at_work = await _carried_out(make(), self.gives)
            _, context, _ = at_work.performed[0]
            with pytest.raises(BackendError) as refused:
                await at_work.perform(Unheard(), context)  # type: ignore[arg-type]
            assert str(refused.value), "an error says what happened and what to do"

        _done(juggled)

    def test_what_goes_wrong_is_said_by_an_error_of_a_kind(self, make_broken: Callable[[], Backend]) -> None:
        async def tried() -> str:
            try:
                backend = make_broken()
            except BackendError as error:
                return str(error)
            run, _ = await _carried_out(backend, self.gives)
            assert run.verdict in (Verdict.FAILED, Verdict.ACTION_REQUIRED)
            broke = ("The backend broke", "What came back could not be used")
            assert not any(each in run.reason for each in broke), (
                f"it raised something else than a BackendError: {run.reason}"
            )
            return run.reason

        said = _done(tried)

        assert said
        assert self._is_discreet(said), "a secret stands in the error"

    def test_a_check_of_a_broken_one_says_that_it_does_not_work(self, make_broken: Callable[[], Backend]) -> None:
        async def checked() -> Check:
            try:
                return await make_broken().check()
            except BackendError as error:
                return Check(False, str(error))

        found = _done(checked)

        assert not found.ok
        assert found.detail
        assert self._is_discreet(found.detail), "a secret stands in the check"

    # --- what is left behind --------------------------------------------------------------------------------------

    def test_nothing_secret_is_recorded(self, make: Callable[[], Backend]) -> None:
        run, at_work = _done(lambda: _carried_out(make(), self.gives, self.takes))

        for step in run.steps:
            assert self._is_discreet(step.model_dump_json(), at_work), f"a secret stands in step {step.position}"

    def test_cleaning_up_removes_what_the_run_made_and_nothing_else(self, make: Callable[[], Backend]) -> None:
        async def cleaned() -> None:
            backend = make()
            _, ours = await _carried_out(backend, self.gives)
            _, theirs = await _carried_out(backend, self.gives)

            for _ in range(2):  # the second time there is nothing to do
                said = await backend.clean_up(ours.performed[0][1])
                assert said, "cleaning up says in a sentence what was left, or that nothing was"
                assert self._is_discreet(said, ours), "a secret stands in the sentence"

            assert await _is_allowed(backend, theirs), "the other run's buyer was shut out"
            if isinstance(ours.performed[0][0], GrantAccess | IssueDownloadLink | RegisterAttendee):
                assert not await _is_allowed(backend, ours), "the run's own buyer still gets in"

        _done(cleaned)

    def _is_discreet(self, text: str, at_work: Observed | None = None) -> bool:
        known = Secrets()
        known.learn(*self.secrets)
        for _, context, receipt in at_work.performed if at_work else ():
            known.learn(context.password)
            known.learn_values(receipt.values)
        return known.mask(text) == text


class BackendContract(ActionsContract):
    """What every backend promises. Subclass it, say what stands first, and let pytest find the rest."""

    file: ClassVar[bytes] = WORKBOOK
    """What the file `workbook.pdf` holds that the products of this test deliver, where `make` has another one."""

    @pytest.mark.parametrize("product", PRODUCTS)
    def test_all_that_a_product_leads_to_is_done_or_refused_before_it_begins(
        self, product: str, make: Callable[[], Backend], tmp_path: Path
    ) -> None:
        async def fired(what: Event | Life) -> None:
            begun: list[Run] = []
            try:
                run = await fire(
                    sold, what, at=Workplace(tmp_path), backend=lambda _: make(), patience=QUICK, on_begin=begun.append
                )
            except NotThisLife:
                return
            except LeftOut:
                if left_out and not begun:
                    return
                raise
            assert _is_as_good_as_it_can_be(run), f"{what.label} of “{product}”: {run.reason}"

        with receiver() as address:
            sold = product_of(product, self.file, address)
            for what in WHAT:
                left_out = _left_out(self.manifest, sold, what)
                _done(lambda what=what: fired(what))  # type: ignore[misc]


def known_actions() -> frozenset[str]:
    """The names of every action there is."""
    kinds = get_args(get_args(Action)[0])
    return frozenset(name for kind in kinds for name in get_args(kind.model_fields["action"].annotation))


def _left_out(manifest: Manifest, sold: Sale, what: Event | Life) -> bool:
    try:
        steps = script_of(sold, what, datetime.now(UTC)).steps
    except NotThisLife:
        return False
    return not all(manifest.can_do(step.action) for step in steps if not isinstance(step.action, CleanUp))


def _is_as_good_as_it_can_be(run: Run) -> bool:
    """Whether it passed; a proof may also end with the word of a platform where nobody can look as the buyer."""
    if run.verdict is Verdict.ACTION_REQUIRED and run.life == PROVE:
        stopped = next(step for step in run.steps if step.status is Status.ACTION_REQUIRED)
        return stopped.evidence is not None and stopped.evidence.proven_by != "buyer"
    return run.verdict is Verdict.PASSED


async def _carried_out(backend: Backend, *acts: Sequence[Action]) -> tuple[Run, Observed]:
    """A run of these acts by a buyer of its own, and the backend as it was observed."""
    now = datetime.now(UTC)
    run = new_run_id(now)
    observed = Observed(backend)
    planned = Run(
        id=run,
        product="conformance",
        revision=1,
        event=Event.PURCHASE,
        backend=backend.manifest.name,
        buyer=a_buyer(run),
        started_at=now,
        steps=steps_of(*acts),
    )
    return await Runner(observed, MemoryLedger(), patience=QUICK).run(planned), observed


async def _is_allowed(backend: Backend, observed: Observed) -> bool:
    action, context, receipt = observed.performed[0]
    try:
        return (await backend.verify(action, receipt, context)).allowed
    except BackendError:
        return False


def _said(receipt: Receipt) -> Receipt:
    # How it went over the wire, and how long that took, may differ.
    return receipt.model_copy(update={"exchanges": ()})


def _done(what: Callable[[], Awaitable[T]]) -> T:
    """Wait for it in an event loop of its own, so that authors need no plug-in of pytest's."""

    async def wait() -> T:
        try:
            return await what()
        finally:
            while _open:
                await _open.pop().aclose()

    return asyncio.run(wait())
