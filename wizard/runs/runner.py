"""Carries out a run: performs every action, then checks each as the buyer, and writes down every step.

A run consists of moments. A moment is performed as a whole and in order, so that later mails are filled from earlier
receipts, and then verified as a whole; the next one begins only when everything passed. A run that was stopped midway
goes on where it stopped: what is written down as done is not done again but with the same key, to learn what it gave.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from models.events import Status, Verdict
from models.fulfillment import Action, CleanUp, Moment, Receipt, Run, RunStep, SendEmail
from models.post_sale import Notification
from wizard.delivery.backend import Backend, Context, Occasion
from wizard.delivery.errors import BackendError, Retriable, broken_backend, not_usable
from wizard.delivery.secrecy import Secrets
from wizard.mail import templates
from wizard.runs.ledger import Ledger, key_of
from wizard.runs.outcome import BAD, OPEN, outcome, page_of
from wizard.runs.tries import PATIENT, Answer, GivenUp, Patience, Retrying, failure
from wizard.sale.expectation import ACCESS, hoped_for
from wizard.sale.lives import PROVE
from wizard.sale.words import in_words

P = ParamSpec("P")
AnAction = TypeVar("AnAction", bound=Action)
NEW_EACH_TIME = frozenset({"sign_in_url"})
"""Variables that may differ although nothing was done twice: a link that signs in may be good for one time only."""


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class Runner:
    """Carries out one run against one backend."""

    def __init__(
        self,
        backend: Backend,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime] = utc_now,
        on_step: Callable[[RunStep], None] = lambda step: None,
        patience: Patience = PATIENT,
        password: str = "",
        secrets: Secrets | None = None,
    ) -> None:
        """`password` is the one of a login that the run makes; `secrets` are those that are known before it begins."""
        self._backend = backend
        self._ledger = ledger
        self._clock = clock
        self._on_step = on_step
        self._patience = patience
        self._password = password
        self._secrets = secrets or Secrets()
        self._secrets.learn(password)
        self._values: dict[str, str] = {}
        self._performed: dict[int, Action] = {}
        """What the backend was asked to do: mails with every variable filled in. Never written down."""
        self._receipts: dict[int, Receipt] = {}
        """What the backend answered, secrets and all. Never written down."""
        self._steps: dict[int, RunStep] = {}
        self._ms: dict[int, float] = {}
        """How long each step has taken that something was tried for."""
        self._spent: dict[int, float] = {}
        """The seconds of its budget that each step has used."""
        self._given_up: set[str] = set()
        """Who did not answer, however often they were asked: they are not waited for again in this run."""
        self._unwritten: dict[int, RunStep] = {}
        self._is_open = False

    async def run(self, planned: Run) -> Run:
        """Carry out a run of which nothing is done yet, and give back its record with the verdict.

        However else it ends – the task is cancelled, the ledger cannot write – a run that was opened is closed as
        `interrupted`, and what happened is raised.
        """
        self._begin(planned)
        try:
            await self._record(self._open)
            await self._record(self._close, *await self._carried_out())
        except BaseException as error:
            self._stopped(error)
        return self.record

    async def resume(self, recorded: Run) -> Run:
        """Go on with a run that was stopped midway, and give back its record with the verdict. Ends as `run` does."""
        self._begin(recorded, was_stopped=True)
        self._is_open = True
        try:
            await self._record(self._close, *await self._carried_out())
        except BaseException as error:
            self._stopped(error)
        return self.record

    @property
    def record(self) -> Run:
        """The run as it is recorded so far."""
        return self._run.model_copy(update={"steps": tuple(self._steps.values())})

    def _begin(self, run: Run, *, was_stopped: bool = False) -> None:
        self._run = run
        self._steps = {step.position: step for step in run.steps}
        self._begun = {step.position for step in run.steps if step.status is Status.RUNNING and step.receipt is None}
        self._context = Context(
            run=run.id,
            product=run.product,
            buyer=run.buyer,
            now=self._clock,
            key="",
            was_stopped=was_stopped,
            password=self._password,
            secrets=self._secrets,
        )

    async def _carried_out(self) -> tuple[Verdict, str]:
        """Do what is to be done, for as long as a run may take; give back the verdict and its reason."""
        self._ends = asyncio.get_running_loop().time() + self._patience.run
        try:
            async with asyncio.timeout_at(self._ends) as budget:
                await self._moment_by_moment()
        except TimeoutError:
            if not budget.expired():
                raise
            await self._write_down()
            over = f"Stopped midway: its {self._patience.run:g} s are over, and a run takes no longer."
            return Verdict.INTERRUPTED, over
        return outcome(self.record)

    async def _moment_by_moment(self) -> None:
        moments: dict[int, list[int]] = {}
        for at, step in self._steps.items():
            moments.setdefault(step.moment, []).append(at)
        for positions in moments.values():
            if not any(self._steps[at].status in OPEN for at in positions):
                await self._recall(positions)
            elif any(step.status in BAD for step in self._steps.values() if step.position < positions[0]):
                await self._skip(positions)
            else:
                await self._carry_out(positions)

    async def _carry_out(self, positions: list[int]) -> None:
        for at in positions:
            if self._steps[at].status in OPEN:
                await self._perform(at)
            else:
                await self._recall([at])
        for at in positions:
            if self._steps[at].status is Status.PERFORMED:
                await self._verify(at)

    async def _skip(self, positions: list[int]) -> None:
        """An earlier step failed: nothing more is done, but what the run made is removed."""
        for at in positions:
            if isinstance(self._steps[at].action, CleanUp):
                await self._carry_out([at])
            elif self._steps[at].status in OPEN:
                await self._write(at, status=Status.SKIPPED, detail="Not done, because an earlier step failed.")

    async def _recall(self, positions: list[int]) -> None:
        """Learn again what steps gave that are over: the record holds no secret, and the same key gives the same. Of
        what gave the buyer nothing to go by there is nothing to learn."""
        waiting = [step for step in self._steps.values() if step.status in OPEN]
        if all(isinstance(step.action, CleanUp) for step in waiting):
            return  # nothing will need it, and what was removed must not be made again
        for at in positions:
            step = self._steps[at]
            gave = step.receipt is not None and (step.receipt.values or isinstance(step.action, SendEmail))
            if not gave:
                continue
            action, context = self._rendered(step.action), self._context_of(at)
            perform = partial(self._backend.perform, action, context)
            receipt = await self._tried(at, perform, quietly=True)
            if receipt is None:
                return
            self._keep(at, action, receipt)

    def _keep(self, at: int, action: Action, receipt: Receipt) -> None:
        self._secrets.learn_values(receipt.values)
        self._values.update(receipt.values)
        self._performed[at], self._receipts[at] = action, receipt

    async def _perform(self, at: int) -> None:
        action: Action = self._steps[at].action
        if not self._backend.manifest.can_do(action):
            cannot = f"The backend “{self._backend.manifest.name}” cannot do this: choose another one."
            await self._write(at, status=Status.FAILED, detail=cannot)
            return
        if isinstance(action, SendEmail):
            # One that is asked for once more is the same one, whatever was learned since.
            first = self._performed.get(self._steps[at].repeats or 0)
            filled = first if isinstance(first, SendEmail) else await self._filled(at, action)
            if filled is None:
                return
            action = filled
        context = self._context_of(at)
        receipt = await self._tried(at, lambda: self._backend.perform(action, context))
        if receipt is None:
            return
        self._keep(at, action, receipt)
        if twice := self._done_twice(at, receipt):
            await self._write(at, status=Status.FAILED, receipt=receipt, detail=twice)
            return
        is_last = at == max(self._steps) or self._steps[at + 1].moment != self._steps[at].moment
        await self._write(at, soon=not is_last, status=Status.PERFORMED, receipt=receipt, detail=receipt.detail)

    def _done_twice(self, at: int, receipt: Receipt) -> str:
        """What shows that a step which asks for the same once more was carried out a second time; empty if nothing
        does."""
        first = self._first(at)
        if first is None:
            return ""
        again = "The same request, with the same key, was carried out a second time: it"
        if receipt.reference != first.reference:
            return f"{again} got another receipt."
        names = {*first.values, *receipt.values} - NEW_EACH_TIME
        changed = sorted(name for name in names if first.values.get(name) != receipt.values.get(name))
        return f"{again} gave another {' and '.join(changed)}." if changed else ""

    def _first(self, at: int) -> Receipt | None:
        """The receipt of the step that this one repeats."""
        repeated = self._steps[at].repeats
        return self._receipts.get(repeated) or self._steps[repeated].receipt if repeated else None

    async def _filled(self, at: int, mail: SendEmail) -> SendEmail | None:
        """The mail with its variables filled in; None when it is not to be sent, which is then written down."""
        values = self._variables(mail)
        needed = {*templates.NEEDS.get(mail.target, ()), mail.only_with or ""} - {""}
        lacking = sorted(needed - {*values})
        failed = next((step for step in self._steps.values() if step.status in BAD), None)
        if lacking and (failed or mail.only_with in lacking):
            why = (
                f"Not sent, because step {failed.position} failed." if failed else "Not needed: no new login was made."
            )
            await self._write(at, status=Status.SKIPPED, detail=why)
            return None
        if lacking:
            names = ", ".join(f"{{{name}}}" for name in lacking)
            why = f"The mail needs {names}, and no earlier step gave it: the platform did not answer with one."
            await self._write(at, status=Status.FAILED, detail=why)
            return None
        unfilled = sorted(Notification(subject=mail.subject, body=mail.body).variables - {*values})
        if unfilled:
            names = ", ".join(f"{{{name}}}" for name in unfilled)
            why = f"The mail was not sent: the buyer would have read {names} as it stands, since nothing gave it."
            await self._write(at, status=Status.FAILED, detail=f"{why} Take it out, or have the platform give it.")
            return None
        try:
            return self._rendered(mail)
        except templates.NotOneLine as error:
            await self._write(at, status=Status.FAILED, detail=f"The mail was not sent: {error}.")
            return None

    def _rendered(self, action: AnAction) -> AnAction:
        """The action as the backend is asked for it: a mail with its variables filled in. Raises `NotOneLine`."""
        if not isinstance(action, SendEmail):
            return action
        template = Notification(subject=action.subject, body=action.body)
        rendered = templates.render(template, self._variables(action))
        return action.model_copy(update={"subject": rendered.subject, "body": rendered.body, "values": {}})

    def _variables(self, mail: SendEmail) -> dict[str, str]:
        return {**mail.values, "buyer_name": self._run.buyer.name, "buyer_email": self._run.buyer.email, **self._values}

    def _unsent(self, at: int) -> str:
        """Which mail of the same moment was not sent, and why: what only that mail brings, did not arrive for that."""
        for step in self._steps.values():
            here = step.moment == self._steps[at].moment and isinstance(step.action, SendEmail)
            if here and step.status in BAD and step.receipt is None:
                return f"step {step.position} ({in_words(step.action)}) did not send it. {step.detail}"
        return ""

    async def _verify(self, at: int) -> None:
        action, receipt = self._performed[at], self._receipts[at]
        context = replace(self._context_of(at), earlier=self._first(at), unsent=self._unsent(at))
        evidence = await self._tried(at, lambda: self._backend.verify(action, receipt, context))
        if evidence is None:
            return
        status = Status.PASSED if evidence.allowed is hoped_for(action) else Status.FAILED
        is_proof = self._run.life == PROVE and isinstance(action, ACCESS)
        if status is Status.PASSED and is_proof and evidence.proven_by != "buyer":
            # Its word is good for a test-fire, but a proof is what a buyer saw. The evidence says what is missing.
            status = Status.ACTION_REQUIRED
        await self._write(at, status=status, evidence=evidence, detail=evidence.detail)

    async def _tried(self, at: int, call: Callable[[], Awaitable[Answer]], *, quietly: bool = False) -> Answer | None:
        """Call the backend until it answers or there is no hope. A failure is written down and gives None. `quietly`:
        without a word about the tries, for a step that is over."""
        began = time.perf_counter()
        before = self._steps[at]
        is_ours = self._backend.manifest.backend.startswith("wizard.")
        asking = Retrying(
            self._patience,
            NOBODY if quietly else _StepTelling(self._write, at, before),
            within=self._patience.step - self._spent.get(at, 0.0),
            is_lost=lambda error: _place_of(error, before.action) in self._given_up,
            broken=not_usable if is_ours else broken_backend,
        )
        try:
            answer = await asking.until_answered(call)
        except BackendError as error:
            if quietly and isinstance(error, Retriable):
                raise  # it was over already, and is not undone because somebody is down now: the run goes on later
            if isinstance(error, GivenUp):
                self._given_up.add(_place_of(error, before.action))
            status, detail = failure(error)
        else:
            self._spend(at, began, before.ms)
            return answer
        self._spend(at, began, before.ms)
        await self._write(at, status=status, detail=detail, evidence=None)
        return None

    def _spend(self, at: int, began: float, before: float) -> None:
        """Note how long a step has taken: all in all, and of its budget."""
        self._ms[at] = _ms_since(began, before)
        self._spent[at] = self._spent.get(at, 0.0) + time.perf_counter() - began

    def _context_of(self, at: int) -> Context:
        step = self._steps[at]
        moments = self._run.moments
        at_moment = moments[step.moment - 1].at if step.moment <= len(moments) else self._run.started_at
        is_now = not self._run.life and not self._context.was_stopped and at_moment == self._run.started_at
        return replace(
            self._context,
            # What is fired now happens now, and takes its time. A life, and what goes on later, keep to their plan.
            now=self._clock if is_now else lambda: at_moment,
            key=key_of(self._run.id, step.repeats or at),
            occasion=self._occasion_of(self._steps[step.repeats] if step.repeats else step),
            values=dict(self._values),
            earlier=self._first(at) or step.receipt,
            is_again=at in self._begun,
        )

    def _occasion_of(self, step: RunStep) -> Occasion:
        run, planned = self._run, self._run.moments
        plain = Moment(title=run.event.label, at=run.started_at, event=run.event)
        moment = planned[step.moment - 1] if step.moment <= len(planned) else plain
        return Occasion(moment, step.moment, max(len(planned), 1), run.price)

    async def _write(self, at: int, *, soon: bool = False, **changes: object) -> None:
        """Write down how far a step has come. `soon`: together with what is written next, before anything is done."""
        # Masked as a whole, and again at each write: a secret may have been learned since.
        # What is to be done was planned before there was any secret, and a run that goes on needs it as it was.
        before = self._steps[at]
        changes["ms"] = self._ms.get(at, before.ms)
        step = self._secrets.masked(before.model_copy(update=changes), but="action")
        self._steps[at] = step
        self._unwritten[at] = step
        if not soon:
            await self._write_down()
        with suppress(Exception):  # whoever looks on does not decide whether a buyer is served
            self._on_step(step)

    async def _write_down(self) -> None:
        unwritten, self._unwritten = self._unwritten, {}
        await self._record(self._ledger.write_steps, self._run.id, *unwritten.values())

    async def _record(self, write: Callable[P, None], *what: P.args, **more: P.kwargs) -> None:
        if not self._ledger.blocks:
            write(*what, **more)
        else:
            await _to_its_end(_writer_of(self._ledger), partial(write, *what, **more))

    def _open(self) -> None:
        self._ledger.open_run(self._run)
        self._is_open = True

    def _stopped(self, error: BaseException) -> None:
        """Close the run and raise what stopped it; but who stops it while its end is written down, comes too late."""
        if isinstance(error, asyncio.CancelledError) and self._run.verdict is not None and not self._is_open:
            return
        self._interrupt(error)
        raise error

    def _interrupt(self, error: BaseException) -> None:
        """Close the run if it is open; never one that another process opened under the same id, nor one that ended.

        Written on this thread: a task that is being cancelled may not get another turn.
        """
        if not self._is_open:
            return
        why = f"{error}" or type(error).__name__
        reason = f"Stopped midway: {self._secrets.mask(why)}" if isinstance(error, Exception) else "Stopped midway."
        try:
            if self._unwritten:
                self._ledger.write_steps(self._run.id, *self._unwritten.values())
            self._close(Verdict.INTERRUPTED, reason)
        except Exception as another:
            error.add_note(f"The run could not be closed either: {another}")

    def _close(self, verdict: Verdict, reason: str) -> None:
        at, page = self._clock(), page_of(self.record)
        ended = {"verdict": verdict, "reason": reason, "finished_at": at, "page": page}
        self._run = self._run.model_copy(update=ended)
        self._ledger.close_run(self._run.id, verdict=verdict, reason=reason, finished_at=at, page=page)
        self._is_open = False


def _place_of(error: Retriable, action: Action) -> str:
    """Who did not answer. Where that is not said, mails may go through somebody else than the rest."""
    return error.place or ("the mails" if isinstance(action, SendEmail) else "the backend")


class _Nobody:
    """Nobody is told: the step is over, and what it gave is learned again."""

    async def on_try(self, number: int) -> None:
        """See `Telling`."""

    async def on_wait(self, said: str) -> None:
        """See `Telling`."""


NOBODY = _Nobody()


class _StepTelling:
    """Tells in the step itself, so that whoever looks on and the record say the same."""

    def __init__(self, write: Callable[..., Awaitable[None]], at: int, before: RunStep) -> None:
        self._write, self._at, self._before = write, at, before
        self._attempts = before.attempts

    async def on_try(self, number: int) -> None:
        """See `Telling`."""
        # The second pass over a step, its check, does not make its tries look doubled.
        self._attempts = max(self._before.attempts, number)
        if self._before.status is not Status.PERFORMED or number > 1:
            await self._write(self._at, status=Status.RUNNING, attempts=self._attempts)

    async def on_wait(self, said: str) -> None:
        """See `Telling`."""
        await self._write(self._at, status=Status.RUNNING, attempts=self._attempts, detail=said)


def _ms_since(began: float, before: float) -> float:
    return round(before + (time.perf_counter() - began) * 1000, 1)


_writers: WeakKeyDictionary[Ledger, Executor] = WeakKeyDictionary()


def _writer_of(ledger: Ledger) -> Executor:
    """The thread that writes into a ledger. One for all its runs: several would only wait for each other."""
    if ledger not in _writers:
        _writers[ledger] = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
    return _writers[ledger]


async def _to_its_end(writer: Executor, write: Callable[[], None]) -> None:
    """Have something written in another thread. When the task is cancelled meanwhile, this waits for it all the same:
    what is written next comes after it, never at the same time."""
    writing = asyncio.get_running_loop().run_in_executor(writer, write)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        while not writing.done():  # also when the task is cancelled again
            with suppress(asyncio.CancelledError):
                await asyncio.wait([writing])
        raise
