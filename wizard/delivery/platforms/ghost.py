"""Ghost: members with a tier or a label, through its Admin API.

https://docs.ghost.org/admin-api. A member that a run makes bears a note with the run's name, so that the same run finds
it again. A member who was there before is never deleted, and loses only what the run gave.

Ghost 5.130.6 without Stripe answers 200 to taking a complimentary tier away, but leaves the member's status `comped`,
and such a member goes on reading every post for paying members (measured). So what Ghost then says of the member is
looked at, and a member of this run's own is deleted where taking the tier away did not help.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from models.account import Connection
from models.addresses import one_spelling, same_buyer
from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.buyer.proof import on_its_word, paragraphs_of, visit, written_in
from wizard.delivery.buyer.proof_page import keep_strangers_out
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.platforms import LEVEL
from wizard.delivery.platforms.api import Api, Reply, because
from wizard.delivery.platforms.before import Before

API = 5
"""The oldest version whose API lies where it is asked: earlier ones have an address for each version of theirs."""

NOBODY = "f" * 24
"""The id of no member: what may be done with members is asked with it, since nothing can come of that."""

NEEDED = (
    ("PUT", "", "change members"),
    ("DELETE", "", "delete members"),
    ("GET", "signin_urls/", "let members sign in"),
)
"""What the key must be allowed to do, beside seeing members."""

TOKEN_LIFETIME = 300
"""Seconds: the longest that Ghost's documentation allows."""

KNOWN_BY = {"tiers": "id", "labels": "name"}
"""By what Ghost knows a tier or a label of a member again when it is sent one."""

Found = dict[str, Any]


class Ghost:
    """A Ghost site."""

    def __init__(self, connection: Connection, surroundings: Surroundings) -> None:
        """See `Platform`."""
        self._connection = connection
        self._around = surroundings
        # Also as it is copied from a browser: https://example.com/ghost/#/settings
        self._site = (connection.url or "").partition("#")[0].rstrip("/").removesuffix("/ghost")
        self._key = connection.admin_api_key.get_secret_value().strip() if connection.admin_api_key else ""
        surroundings.secrets.learn(self._key, self._key.partition(":")[2])
        self._api = Api(surroundings.client(), connection.name)
        # What opens the content: labels only where the seller asked for a label.
        self._kind = "labels" if connection.label else "tiers"
        self._known_by = KNOWN_BY[self._kind]

    async def check(self, levels: Sequence[str] = ()) -> Check:
        """See `Platform`. Asks what the key may do, looks for the tiers or labels, and whether the proof page keeps
        strangers out."""
        await self._refuse_other_versions()
        for _ in range(2):  # a cache that keeps what only a key opens answers the second time
            await self._list("members", limit=1)
        if lacking := [words for method, path, words in NEEDED if not await self._may(method, path)]:
            return Check(
                False,
                f"The key of “{self._connection.name}” may not {', '.join(lacking)}: use the Admin API key of a custom "
                "integration, from Settings, Integrations in Ghost.",
            )
        told = "Ghost answers, and takes the key."
        if wanted := self._connection.label or self._connection.tier:
            found = await self._opener(wanted)
            told = f"Ghost answers, takes the key, and has the {self._kind[:-1]} “{found['name']}”."
        if self._connection.proof_url is not None:
            there = await self._paragraphs(self._connection.proof_url)
            await keep_strangers_out(self._connection.proof_url, written_in(self._connection), self._around, there)
        return Check(True, told, {level: await self._problem(level) for level in levels})

    async def _problem(self, level: str) -> str:
        try:
            await self._opener(level)
        except Rejected as error:
            return str(error)
        return ""

    async def _may(self, method: str, path: str) -> bool:
        about = {"members": [{"note": ""}]} if method == "PUT" else None
        reply = await self._send(method, f"admin/members/{NOBODY}/{path}", about, fine=(403, 404, 422))
        return reply.status != 403

    async def _refuse_other_versions(self) -> None:
        """Raises ActionRequired for a Ghost that is too old."""
        reply = await self._send("GET", "admin/site/", fine=(404,))
        if reply.is_good:
            found = reply.json
            version = str((found.get("site") or {}).get("version") or "") if isinstance(found, dict) else ""
        else:
            version = "4" if (await self._send("GET", "v4/admin/site/", fine=(404,))).is_good else ""
        number = version.partition(".")[0]
        if number.isdigit() and int(number) < API:
            raise ActionRequired(
                f"“{self._connection.name}” is Ghost {version}, and the wizard needs Ghost {API} or newer: update it."
            )

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """See `Platform`."""
        if isinstance(action, GrantAccess):
            receipt = await self._grant(action, context)
        else:
            receipt = await self._revoke(action, context)
        return self._api.with_exchanges(receipt)

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """See `Platform`. Signs in by the link that Ghost would mail to the member."""
        return self._api.with_exchanges(await self._verify(action, context))

    async def _verify(self, action: GrantAccess | RevokeAccess, context: Context) -> Evidence:
        member = await self._find(context)
        opener = await self._opener(self._wanted(action))
        has_it = member is not None and opener[self._known_by] in _held(member, self._kind)
        what = f"the {self._kind[:-1]} “{opener['name']}”"
        if self._connection.proof_url is None:
            said = f"Ghost says that {context.buyer.email} {'has' if has_it else 'does not have'} {what}."
            if member is not None and not has_it and member["status"] == "comped":
                said += " But their status is still “comped”: they read posts for paying members."
                return on_its_word(written_in(self._connection), True, said)
            return on_its_word(written_in(self._connection), has_it, said)
        people = visit(self._connection.proof_url, written_in(self._connection), self._around, context)
        how = "is no member any more"
        if member is not None:
            link = await self._sign_in_link(member, context)
            inside = await people.buyer.open(link)
            if inside.status != 200 or "success=true" not in inside.url:
                said = f"{people.who} could not sign in by Ghost's own link: {inside.says}"
                return people.evidence(False, said, inside.status)
            how = "signed in by Ghost's own link"
        return await people.read(action, how, await self._paragraphs(people.url) or ())

    async def clean_up(self, context: Context) -> str:
        """See `Platform`."""
        member, before = await self._find(context), self._before(context)
        name, email = self._connection.name, context.buyer.email
        if member is None:
            before.forget()
            return f"Nothing is left on “{name}”."
        if _is_ours(member, context):
            await self._delete(member)
            before.forget()
            return f"The member {email} was deleted from “{name}”. Nothing is left."
        held = before.recall(member["id"])
        if held is not None and set(held) != set(_held(member, self._kind)):
            await self._set(member, held)
        before.forget()
        return f"{email} was a member of “{name}” before and was left, with what they had."

    async def _grant(self, action: GrantAccess, context: Context) -> Receipt:
        opener = await self._opener(self._wanted(action))
        what = f"the {self._kind[:-1]} “{opener['name']}”"
        member = await self._find(context)
        if member is None:
            until = {"expiry_at": action.until.isoformat()} if action.until and self._kind == "tiers" else {}
            member = await self._create({self._kind: [{self._known_by: opener[self._known_by], **until}]}, context)
        ours = _is_ours(member, context)
        if not ours:
            self._before(context).remember(member["id"], _held(member, self._kind))
        if opener[self._known_by] not in _held(member, self._kind):
            member = await self._set(member, [*_held(member, self._kind), opener[self._known_by]])
        detail = f"{context.buyer.email} is a member with {what}."
        if not ours:
            detail = f"{context.buyer.email} was a member already, and has {what} as well."
        return Receipt(reference=f"{context.buyer.email}, {opener['id']}", detail=detail)

    async def _create(self, opens: Found, context: Context) -> Found:
        """Make the buyer's member, or find the one that somebody made meanwhile."""
        about = {"email": context.buyer.email, "name": context.buyer.name, "note": _note(context), **opens}
        reply = await self._send("POST", "admin/members/", {"members": [about]}, fine=(422,))
        if reply.is_good:
            return self._first(reply, "members")
        found = await self._find(context)  # one address, one member: Ghost answers 422 (seen on 5.130)
        if found is None:
            raise Rejected(f"“{self._connection.name}” answered 422{because(reply)}")
        return found

    async def _revoke(self, action: RevokeAccess, context: Context) -> Receipt:
        opener = await self._opener(self._wanted(action))
        what = f"The {self._kind[:-1]} “{opener['name']}”"
        reference = f"{context.buyer.email}, {opener['id']}"
        member = await self._find(context)
        if member is None:
            return Receipt(reference=reference, detail=f"{context.buyer.email} is no member.")
        has, ours = _held(member, self._kind), _is_ours(member, context)
        if not ours and opener[self._known_by] in self._before(context).remember(member["id"], has):
            raise Rejected(
                f"{what} was {context.buyer.email}'s before this run, and stays: a test-fire takes nothing away that "
                "it did not give. Choose another test buyer."
            )
        if opener[self._known_by] in has:
            member = await self._set(member, [each for each in has if each != opener[self._known_by]])
        stuck = member["status"] == "comped" and not _held(member, "tiers")
        if stuck and ours:
            await self._delete(member)
            gone = f"{what} was taken away. Ghost left the status “comped”, so the member was deleted as well."
            return Receipt(reference=reference, detail=gone)
        return Receipt(reference=reference, detail=f"{what} was taken away.")

    async def _set(self, member: Found, held: list[str]) -> Found:
        # An entry that stays is sent as it was, else a tier that ends some day would never end.
        until = {each[self._known_by]: each.get("expiry_at") for each in member.get(self._kind) or ()}
        entries = [{self._known_by: each, **({"expiry_at": until[each]} if until.get(each) else {})} for each in held]
        about = {self._kind: entries}
        reply = await self._send("PUT", f"admin/members/{member['id']}/", {"members": [about]}, include="tiers,labels")
        changed = self._first(reply, "members")
        if set(_held(changed, self._kind)) != set(held):
            raise Rejected(f"Ghost said yes, but the {self._kind} of {member['email']} are other ones.", LEVEL)
        return changed

    async def _delete(self, member: Found) -> None:
        reply = await self._send("DELETE", f"admin/members/{member['id']}/", fine=(404,))
        if reply.status not in (204, 404):  # the first is what Ghost says (seen on 5.130)
            raise Rejected(
                f"Ghost answered {reply.status}, which is not that {member['email']} was deleted{because(reply)}"
            )

    async def _find(self, context: Context) -> Found | None:
        # Ghost keeps an address as it was written, and compares as its database does: so those that begin alike, in
        # whichever case, are asked for (`~^`). A backslash and a quote are what a text in its filters (NQL) escapes.
        begins = one_spelling(context.buyer.email).rpartition("@")[0].replace("\\", "\\\\").replace("'", "\\'")
        members = await self._list("members", filter=f"email:~^'{begins}@'", include="tiers,labels", limit="all")
        theirs = [member for member in members if same_buyer(str(member.get("email", "")), context.buyer.email)]
        # Of two whom Ghost took for two, the one who is written the same.
        return next((member for member in theirs if member["email"] == context.buyer.email), next(iter(theirs), None))

    async def _opener(self, wanted: str) -> Found:
        """The tier or label of that name, slug or id. Raises Rejected when there is none."""
        listed = await self._list(self._kind, limit="all")
        for each in listed:
            if wanted in (each["slug"], each["id"]) or wanted.casefold() == str(each["name"]).casefold():
                return each
        names = ", ".join(str(each["name"]) for each in listed) or "none"
        raise Rejected(f"“{self._connection.name}” has no {self._kind[:-1]} “{wanted}”. It has: {names}.", LEVEL)

    async def _sign_in_link(self, member: Found, context: Context) -> str:
        reply = await self._send("GET", f"admin/members/{member['id']}/signin_urls/")
        link = str(self._first(reply, "member_signin_urls").get("url"))
        context.secrets.learn(link, *parse_qs(urlsplit(link).query).get("token", ()))
        return link

    async def _paragraphs(self, url: str) -> list[str] | None:
        """The paragraphs of a post or a page of the site; None where there is none at that address."""
        slug = url.partition("?")[0].rstrip("/").rpartition("/")[2]
        for kind in ("posts", "pages") if slug else ():
            reply = await self._send("GET", f"admin/{kind}/slug/{slug}/", fine=(404, 422), formats="html")
            if reply.is_good:
                return paragraphs_of(str(self._first(reply, kind).get("html") or ""))
        return None

    async def _list(self, name: str, **params: str | int) -> list[Found]:
        return self._listed(await self._send("GET", f"admin/{name}/", None, (), **params), name)

    async def _send(
        self,
        method: str,
        path: str,
        body: object = None,
        fine: tuple[int, ...] = (),
        **params: str | int,
    ) -> Reply:
        headers = {"authorization": f"Ghost {self._token()}", "accept-version": "v5.0", "accept": "application/json"}
        return await self._api.send(
            method,
            f"{self._site}/ghost/api/{path}",
            headers=headers,
            params=params,
            body=None if body is None else json.dumps(body),
            fine=fine,
        )

    def _token(self) -> str:
        """A short-lived token (RFC 7519, HS256) by the key. Its time is the real one, whatever clock a run has."""
        name, _, secret = self._key.partition(":")
        try:
            signing_key = bytes.fromhex(secret)
        except ValueError:
            signing_key = b""
        if not (name and signing_key):
            raise ActionRequired(
                f"The Admin API key of “{self._connection.name}” is not whole: copy all of it, with the colon, from "
                "Settings, Integrations in Ghost."
            )
        now = int(time.time())
        head = {"alg": "HS256", "typ": "JWT", "kid": name}
        claims = {"iat": now, "exp": now + TOKEN_LIFETIME, "aud": "/admin/"}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
        token = f"{signed}.{_base64(hmac.digest(signing_key, signed.encode(), hashlib.sha256))}"
        self._around.secrets.learn(token)
        return token

    def _first(self, reply: Reply, name: str) -> Found:
        listed = self._listed(reply, name)
        if not listed:
            raise ActionRequired(f"“{self._connection.name}” answered without {name}: check its address.")
        return listed[0]

    def _listed(self, reply: Reply, name: str) -> list[Found]:
        found = reply.json
        if not isinstance(found, dict):
            raise self._api.no_json(reply)
        if "errors" in found:
            raise Rejected(f"“{self._connection.name}” answered {reply.status}, but with an error{because(reply)}")
        listed = found.get(name)
        if not (isinstance(listed, list) and all(isinstance(each, dict) for each in listed)):
            raise ActionRequired(f"“{self._connection.name}” does not answer as Ghost does: check its address.")
        return listed

    def _before(self, context: Context) -> Before:
        return Before(self._around.data_dir, context.run, self._connection.slug)

    def _wanted(self, action: GrantAccess | RevokeAccess) -> str:
        connection = self._connection
        return next((level for level in action.levels if level), "") or connection.label or connection.tier


def _base64(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def _held(member: Found, kind: str) -> list[str]:
    return [str(each[KNOWN_BY[kind]]) for each in member.get(kind) or ()]


def _note(context: Context) -> str:
    return f"Made by a test-fire, run {context.run}."


def _is_ours(member: Found, context: Context) -> bool:
    return bool(member.get("note") == _note(context))
