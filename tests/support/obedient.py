"""A backend that does as it is told, and runs planned for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from models.events import Event
from models.fulfillment import Action, Buyer, Evidence, GrantAccess, Receipt, RevokeAccess, Run, SendEmail, ShowPage
from tests.support.shop import NOW
from wizard.delivery.backend import Check, Context, Manifest
from wizard.sale.script import steps_of

PASSWORD = "k7qm-2xpa-9rtd & <h3>"


GRANT = GrantAccess(target="yoga-club", levels=("gold",))


REVOKE = RevokeAccess(target="yoga-club", levels=("gold",))


WELCOME = SendEmail(
    target="membership_welcome",
    subject="Hello {buyer_name}",
    body="{login_page} {login_email} {login_password}",
    only_with="login_password",
)


CONFIRMATION = SendEmail(target="order_confirmation", subject="Your order", body="Thanks, {buyer_name}")


PAGE = ShowPage(target="yoga", source="product", text="Thank you!")


LOGIN = {"login_page": "https://example.com/login", "login_email": "ada@example.com", "login_password": PASSWORD}


class Backend:
    """Does what the test says, and notes what it was asked."""

    manifest = Manifest("obedient", "Obedient", frozenset({"grant_access", "revoke_access", "send_email", "show_page",
                                                          "keep_access"}))  # fmt: skip

    def __init__(self, **behaviour: Callable[..., Awaitable[Any]]) -> None:
        self.behaviour = behaviour
        self.performed: list[Action] = []
        self.verified: list[Action] = []
        self.keys: list[str] = []

    async def check(self) -> Check:
        return Check(True, "")

    async def perform(self, action: Action, context: Context) -> Receipt:
        self.performed.append(action)
        self.keys.append(context.key)
        if action.action in self.behaviour:
            answer: Receipt = await self.behaviour[action.action](action, context)
            return answer
        return Receipt(reference=context.key, detail="done", values=LOGIN if isinstance(action, GrantAccess) else {})

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        self.verified.append(action)
        if f"verify_{action.action}" in self.behaviour:
            seen: Evidence = await self.behaviour[f"verify_{action.action}"](action, receipt, context)
            return seen
        return Evidence(allowed=not isinstance(action, RevokeAccess), proven_by="buyer", detail=f"{action.action} seen")

    async def clean_up(self, context: Context) -> str:
        return f"nothing left of {PASSWORD}"


def planned(*acts: Sequence[Action]) -> Run:
    return Run(
        id="run1",
        product="yoga",
        revision=3,
        event=Event.PURCHASE,
        backend="obedient",
        buyer=Buyer(),
        started_at=NOW,
        steps=steps_of(*acts),
    )


def raising(*errors: Exception) -> Callable[..., Awaitable[Receipt]]:
    """Raises these one after the other, then answers."""
    waiting = list(errors)

    async def perform(action: Action, context: Context) -> Receipt:
        if waiting:
            raise waiting.pop(0)
        return Receipt(reference="r")

    return perform
