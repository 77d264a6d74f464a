"""The door of the admin API: who may come in, and how an order is taken.

Every change names an idempotency key and the run it belongs to: the same key gives the same reply and does nothing
twice, and a key used for something else is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wizard.sandbox.drills import acted_out, lies
from wizard.sandbox.records import replies, runs
from wizard.sandbox.world import World

Reply = dict[str, Any]

TAKES_AWAY = ("/admin/access/revoke", "/admin/links/stop", "/admin/attendees/take-off")
"""Orders that take something from the buyer: what a place that lies does not do."""


class ShopOrder(BaseModel):
    """What every change is about."""

    model_config = ConfigDict(extra="forbid")
    key: str
    run: str
    email: str
    buyer: str = ""


AnOrder = TypeVar("AnOrder", bound=ShopOrder)


class KeyUsed(ValueError):
    """An idempotency key came back with another request."""


def once(world: World, request: Request, order: ShopOrder, work: Callable[[Connection], Reply]) -> Reply:
    """Do the work in one transaction and remember the reply under the order's key, or give the remembered reply."""
    path = request.url.path
    asked = hashlib.sha256(f"{path}\n{order.model_dump_json()}".encode()).hexdigest()
    with world.writing(keep=not (path in TAKES_AWAY and lies(request))) as connection:
        before = connection.execute(select(replies).where(replies.c.key == order.key)).first()
        if before is not None:
            if before.request != asked:
                raise KeyUsed("this key was used for something else")
            return dict(json.loads(before.reply))
        begin_run(connection, world, order.run, order.email, order.buyer)
        reply = work(connection)
        row = {"key": order.key, "run": order.run, "request": asked, "reply": json.dumps(reply)}
        connection.execute(insert(replies).values(**row))
        return reply


def begin_run(connection: Connection, world: World, run: str, email: str, name: str) -> None:
    """Note whose a run is when it first asks for something."""
    row = {"run": run, "email": email, "name": name, "at": world.now}
    connection.execute(insert(runs).values(**row).on_conflict_do_nothing())


def guarded(world: World, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Any]:
    """An endpoint that opens only to the admin token."""

    async def guarded(request: Request) -> Response:
        # As bytes: texts are only compared when they are ASCII, and a visitor may send anything.
        shown = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(shown, f"Bearer {world.admin_token}".encode()):
            return JSONResponse({"error": "who are you?"}, 401)
        return await endpoint(request)

    return guarded


def taking(
    world: World, model: type[AnOrder], work: Callable[[Request, AnOrder], Reply], *, slow: bool = False
) -> Callable[[Request], Any]:
    """An endpoint that takes orders of one kind, in a thread where that takes long, and misbehaves when asked to."""

    async def take(request: Request) -> Response:
        try:
            order = model.model_validate_json(await request.body())

            async def answer() -> Response:
                return JSONResponse(await run_in_threadpool(work, request, order) if slow else work(request, order))

            return await acted_out(request, world, order.key, answer)
        except OverflowError:  # a number that no table can hold
            return JSONResponse({"error": "a number is too large"}, 422)
        except KeyUsed as error:
            return JSONResponse({"error": str(error)}, 409)
        except ValueError as error:  # a ValidationError is one too
            return JSONResponse({"error": str(error)}, 422)

    return guarded(world, take)
