"""Frames of the app: what is played before one is taken, and a run that always looks the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from models.events import Event, Status, Verdict
from models.fulfillment import Buyer, Evidence, Exchange, GrantAccess, Run, RunStep, SendEmail, ShownPage, ShowPage
from tests.support.seller import NOON, SIZES, Seller, SteadyApp
from wizard.settings import Settings

Snap = Callable[..., bool]


SAMPLE = "Yoga Masterclass"


def frame(
    snap_compare: Snap, size: str, play: Callable[[Seller], Awaitable[Any]], app: SteadyApp | None = None
) -> None:
    """Play something and compare the last frame."""
    app = app or SteadyApp(Settings())

    async def before(pilot: Pilot[Any]) -> None:
        seller = Seller(app, pilot)
        await seller.until(lambda: app.store is not None, "the records are open")
        await seller.settled()
        await play(seller)
        await seller.settled()

    assert snap_compare(app, terminal_size=SIZES[size], run_before=before)


async def opens(seller: Seller, name: str = SAMPLE) -> None:
    """Open a product from the list."""
    await seller.press("slash")
    await seller.write(name)
    await seller.settled()
    await seller.sees("1 product found")
    await seller.press("enter")
    await seller.sees("saved 12:04")
    await seller.settled()


STRANGER = "Ada Example logged in with the mailed login and read gold; a stranger was turned away."


NO_LOGIN = "The mail was sent, but it holds no password. Put {login_password} back into the template."


def kept_run(verdict: Verdict) -> Run:
    """A run as the ledger keeps it, with times that are always the same."""
    good = verdict is Verdict.PASSED
    page = Exchange(
        request="GET http://127.0.0.1:8025/m/yoga-club/gold",
        status=200 if good else 303,
        received="Welcome to gold" if good else "Location: /m/yoga-club/login",
        ms=1.9,
    )
    grant = GrantAccess(target="yoga-club", levels=("gold",), name="Yoga Club")
    steps = (
        RunStep(
            position=1,
            action=grant,
            status=Status.PASSED if good else Status.FAILED,
            attempts=1,
            ms=146,
            detail="" if good else NO_LOGIN,
            evidence=Evidence(
                allowed=good,
                proven_by="buyer",
                detail=STRANGER if good else NO_LOGIN,
                facts={"read": "http://127.0.0.1:8025/m/yoga-club/gold"},
                exchanges=(page,),
            ),
        ),
        RunStep(
            position=2,
            action=SendEmail(target="membership_welcome", subject="Your login", body="Hello"),
            status=Status.PASSED,
            attempts=1,
            ms=9,
            detail="“Your login” is in the mailbox of ada@example.com.",
        ),
        RunStep(
            position=3,
            action=ShowPage(target="yoga-masterclass", source="product", text="Welcome to the club!"),
            status=Status.PASSED,
            attempts=1,
            ms=6,
            detail="Ada Example is shown your Thank You page.",
        ),
    )
    return Run(
        id="06am29xsppe8",
        product="yoga-masterclass",
        revision=3,
        event=Event.PURCHASE,
        backend="sandbox",
        buyer=Buyer(),
        price=1,
        started_at=NOON,
        finished_at=NOON,
        verdict=verdict,
        reason=STRANGER if good else NO_LOGIN,
        steps=steps,
        page=ShownPage(source="product", text="Welcome to the club!"),
    )
