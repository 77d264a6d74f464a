"""The shop's side of the sandbox: its admin API, and signed requests to the platforms that the sandbox plays."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx
from standardwebhooks.webhooks import Webhook

from models.characters import quoted, visible
from models.fulfillment import Exchange
from wizard.delivery.backend import Context
from wizard.delivery.browser import SIMULATION
from wizard.delivery.errors import BackendError, Rejected, Retriable
from wizard.sandbox.faults import HEADER, Fault

CHUNK = 1 << 20
"""Bytes that are read at once."""

PLACE = "the sandbox"
"""Who does not answer, where it is the sandbox: a run that has given up on it once does not wait for it again."""

BROKEN_OFF = "The connection to the sandbox broke off before its reply was whole."

FILE = "post_sale.access.downloadable_file.file"


class SandboxShop:
    """Speaks to the admin API."""

    def __init__(self, transport: httpx.AsyncBaseTransport, home: str, token: str, fault: Fault | None = None) -> None:
        self.home = home
        self._token = token
        self._drill = {HEADER: fault.value} if fault else {}
        self._context: Context | None = None
        self._client = httpx.AsyncClient(
            transport=transport, base_url=home, headers=SIMULATION, trust_env=False, timeout=20
        )
        self.exchanges: list[Exchange] = []

    def for_step(self, context: Context) -> SandboxShop:
        """The same shop, doing one step of a run."""
        step = copy(self)
        step._context, step.exchanges = context, []
        return step

    async def order(self, path: str, order: dict[str, Any]) -> dict[str, Any]:
        """Ask for a change, under the step's idempotency key. Raises BackendError."""
        context = self._context
        assert context is not None
        buyer = context.buyer
        whole = {"key": context.key, "run": context.run, "email": buyer.email, "buyer": buyer.name, **order}
        return _read(await self._send("POST", f"/admin/{path}", json=whole, headers=self._drill))

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Ask something. Raises BackendError."""
        return _read(await self._send("GET", path, params=query))

    async def membership_pages(self, membership: str, levels: tuple[str, ...]) -> dict[str, str]:
        """The gated pages of a membership's levels, and what stands on each."""
        reply = await self.get(f"/admin/memberships/{quote(membership)}", level=list(levels))
        return dict(reply["pages"])

    async def platform_pages(self, connection: str, level: str) -> dict[str, str]:
        """The gated page of a level on a platform, and what stands on it."""
        return dict((await self._platform(connection, level))["pages"])

    async def signed(self, connection: str, event: str, data: dict[str, Any], *, key: str) -> int:
        """Send a signed request to the platform; give back the status. The time is the real one: a signature that
        a simulated clock dates would be refused."""
        platform = await self._platform(connection)
        now = datetime.now(UTC)
        body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": data})
        signature = Webhook(platform["secret"]).sign(key, now, body)
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
            "content-type": "application/json",
            **self._drill,
        }
        refusals = set(range(400, 500)) - {429}
        response = await self._send("POST", platform["url"], fine={204, *refusals}, content=body, headers=headers)
        return response.status_code

    async def _platform(self, connection: str, level: str = "") -> dict[str, Any]:
        reply = await self.get(f"/admin/connections/{quote(connection)}", level=level)
        if self._context is not None:
            self._context.secrets.learn(reply["secret"])
        return reply

    async def has_file(self, sha256: str) -> bool:
        """Whether the sandbox holds these bytes already."""
        return (await self._send("HEAD", f"/admin/files/{sha256}", fine=(204, 404))).status_code == 204

    async def hand_in(self, sha256: str, path: Path) -> None:
        """Hand in a file of the library. Raises Rejected when it is gone or is not the same any more."""
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except OSError as error:
            gone = f"The library's copy of “{path.name}” cannot be read ({error.strerror}). Add the file again."
            raise Rejected(gone, FILE) from error
        try:
            await self._send("PUT", f"/admin/files/{sha256}", content=_chunks(file))
        except Rejected as error:
            changed = f"“{path.name}” has changed since it was added to the library. Add it again."
            raise Rejected(changed, FILE) from error
        finally:
            file.close()

    async def notes(self, email: str) -> list[tuple[str, str]]:
        """What stands on a buyer's record, as (kind, name)."""
        return [(kind, name) for kind, name in (await self.get(f"/admin/records/{quote(email)}"))["notes"]]

    async def clean_up(self, run: str) -> list[str]:
        """Remove what a run created; give back the logins that were left."""
        return list(_read(await self._send("DELETE", f"/admin/runs/{run}"))["left"])

    async def set_clock(self, run: str, now: datetime) -> None:
        """Set the simulated time of a run."""
        await self._send("PUT", f"/admin/runs/{quote(run)}/clock", json={"now": now.isoformat()})

    async def _send(self, method: str, path: str, *, fine: Any = range(200, 300), **parts: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._token}"} if path.startswith("/admin") else {}
        headers |= parts.pop("headers", {})
        began = time.perf_counter()
        try:
            response = await self._client.request(method, path, headers=headers, **parts)
        except httpx.RemoteProtocolError as error:
            raise Retriable(BROKEN_OFF, place=PLACE) from error
        except httpx.HTTPError as error:
            raise Retriable(f"The sandbox could not be reached: {error}.", place=PLACE) from error
        ms = round((time.perf_counter() - began) * 1000, 1)
        request = response.request
        sent = json.dumps(parts["json"]) if "json" in parts else parts.get("content", "")
        self.exchanges.append(
            Exchange(
                request=f"{method} {request.url}",
                sent=sent if isinstance(sent, str) else "the bytes of a file",
                status=response.status_code,
                received=response.text,
                ms=ms,
            )
        )
        # In process nobody notices for us that a reply is shorter than it says.
        said = response.headers.get("content-length", "")
        if method != "HEAD" and said.isdigit() and response.num_bytes_downloaded < int(said):
            raise Retriable(BROKEN_OFF, place=PLACE)
        if response.status_code in fine:
            return response
        raise _refused(response)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        yield chunk


def _read(response: httpx.Response) -> dict[str, Any]:
    """The reply to something that went well. Raises BackendError when it does not say so."""
    try:
        reply = response.json()
    except ValueError:
        reply = None
    if not isinstance(reply, dict) or str(reply.get("status", "")).lower() == "error":
        raise _refused(response)
    return reply


def _refused(response: httpx.Response) -> BackendError:
    if response.is_success:
        return _not_well(response)
    if response.status_code == 429 or response.status_code >= 500:
        after = response.headers.get("retry-after", "")
        seconds = float(after) if after.isdigit() else None
        why = f": {reason.rstrip('.')}." if (reason := _reason(response)) else "."
        return Retriable(f"The sandbox answered {response.status_code}{why}", seconds, PLACE)
    reason = _reason(response) or quoted(response.text)
    return Rejected(f"The sandbox answered {response.status_code}: {reason.rstrip('.')}.")


def _not_well(response: httpx.Response) -> BackendError:
    """What is wrong with a reply whose status says that all is well."""
    status = response.status_code
    if "html" in response.headers.get("content-type", ""):
        came = f"The sandbox answered {status} with a web page in place of a reply"
        return BackendError(f"{came}: nothing shows that it was done. Is something else at its address?")
    if inside := _reason(response):
        return BackendError(f"The sandbox answered {status}, but with an error inside: {inside}.")
    return BackendError(f"The sandbox answered {status} with something else than a reply: nothing shows it was done.")


def _reason(response: httpx.Response) -> str:
    try:
        reply = response.json()
        return visible(str(reply["message"] if str(reply.get("status")).lower() == "error" else reply["error"]), "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
