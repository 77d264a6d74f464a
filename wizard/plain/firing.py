"""A test-fire line by line: each step when it is over, and at the end what the buyer can do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from models.events import Status
from models.fulfillment import RunStep
from wizard.failure import Failure
from wizard.invocation import command
from wizard.plain.lines import Console
from wizard.settings import Settings

if TYPE_CHECKING:
    from wizard.store import Store


def fire_purchase(lines: Console, store: Store, settings: Settings, slug: str) -> None:
    """Let a test buyer buy the product, by the backend that the settings name, and say how that went."""
    # Imported here: who only answers questions needs none of it.
    from wizard.runs.drill import told
    from wizard.runs.fire import Workplace, fire
    from wizard.runs.outcome import OPEN
    from wizard.sale.sold import Sale
    from wizard.sale.words import in_words

    told_already: set[tuple[int, Status]] = set()
    begun: list[str] = []
    waits = ""

    def on_step(step: RunStep) -> None:
        nonlocal waits
        if step.status is Status.RUNNING and step.detail and step.detail != waits:
            waits = step.detail
            lines.say(f"    {waits}")
        if step.status in OPEN or (step.position, step.status) in told_already:
            return
        told_already.add((step.position, step.status))
        lines.say(f"  {step.position} {in_words(step.action)}: {step.status.label}")
        if detail := (step.evidence.detail if step.evidence else step.detail):
            lines.say(f"    {detail}")

    try:
        sold = Sale(product=store.load(slug), account=store.account(), price=1)
        at = Workplace.of(settings, store)
        firing = fire(
            sold,
            at=at,
            backend=settings.backend,
            on_begin=lambda run: begun.append(run.id),
            on_step=on_step,
            on_wait=lambda told: lines.say(f"  {told}"),
        )
        run = asyncio.run(firing)
    except KeyboardInterrupt:
        lines.say("  ! Stopped midway." + (f" Go on with it: {command('resume', begun[0])}" if begun else ""))
    except (Failure, ValueError) as error:
        lines.say(f"  ! Not fired: {error}")
    else:
        lines.say(told(run))
