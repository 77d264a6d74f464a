"""WordPress: users and roles through the REST API of its core, with an application password.

https://developer.wordpress.org/rest-api/reference/users/. The API is asked at `index.php?rest_route=`, which works also
where pretty addresses are switched off. A user that a run makes bears the run's name, so that the same run finds it
again; a user with the buyer's address that was there before keeps everything else, above all their own password.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

from models.account import Connection
from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
from wizard.fulfillment.backend import ActionRequired, Check, Context, Rejected, Retriable, Surroundings
from wizard.fulfillment.platforms import LEVEL
from wizard.fulfillment.platforms.api import Api, Reply, because
from wizard.fulfillment.platforms.before import Before
from wizard.fulfillment.platforms.proof import on_its_word, paragraphs_of, visit, written_in

NEEDED = {
    "list_users": "see users",
    "create_users": "create users",
    "promote_users": "give users a role",
    "delete_users": "delete users",
}
"""What the connection's user must be allowed to do."""

User = dict[str, Any]


class WordPress:
    """A WordPress site."""

    def __init__(self, connection: Connection, surroundings: Surroundings) -> None:
        """See `Platform`."""
        self._connection = connection
        self._around = surroundings
        self._site = (connection.url or "").rstrip("/").removesuffix("/index.php")
        password = connection.application_password.get_secret_value() if connection.application_password else ""
        self._password = password
        self._authorization = f"Basic {b64encode(f'{connection.user}:{password}'.encode()).decode()}"
        self._api = Api(surroundings.client(), connection.name)

    async def check(self) -> Check:
        """See `Platform`. Asks WordPress who the user is and what they may do."""
        me = await self._ask("GET", "/wp/v2/users/me", context="edit")
        may = me.get("capabilities", {})
        lacking = [words for name, words in NEEDED.items() if not may.get(name)]
        if lacking:
            return Check(
                False, f"The user “{self._connection.user}” may not {', '.join(lacking)}: use an administrator."
            )
        return Check(True, f"WordPress answers, and “{self._connection.user}” may create users and give them roles.")

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """See `Platform`."""
        context.secrets.learn(self._password, self._authorization, context.password)
        if isinstance(action, GrantAccess):
            receipt = await self._grant(self._role(action), context)
        else:
            receipt = await self._revoke(self._role(action), context)
        return self._api.with_exchanges(receipt)

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """See `Platform`. Logs in on `wp-login.php` as a person would."""
        context.secrets.learn(self._password, self._authorization, context.password)
        return self._api.with_exchanges(await self._verify(action, context))

    async def _verify(self, action: GrantAccess | RevokeAccess, context: Context) -> Evidence:
        user = await self._find(context)
        role = self._role(action)
        has_role = user is not None and role in user["roles"]
        said = f"WordPress says that {context.buyer.email} {'has' if has_role else 'does not have'} the role “{role}”."
        if self._connection.proof_url is None:
            return on_its_word(written_in(self._connection), has_role, said)
        if user is None or not self._is_ours(user, context):
            theirs = "The user was there before this run, with a password of their own: nobody else can log in as them."
            return on_its_word(
                written_in(self._connection), has_role, said, missing=theirs if user else "There is no such user."
            )
        people = visit(self._connection.proof_url, written_in(self._connection), self._around, context)
        form = await people.buyer.open(self._login_page)
        if form.status != 200 or "log" not in form.inputs:
            at = f"{self._login_page} (status {form.status}): {form.says}"
            return people.evidence(False, f"{people.who} found no login form at {at}", form.status)
        login = {"log": user["username"], "pwd": context.password, "redirect_to": people.url}
        inside = await people.buyer.submit(form, login)
        if inside.url == form.url:
            return people.evidence(False, f"{people.who} could not log in: {inside.says}", inside.status)
        return await people.read(action, "logged in", await self._content(people.url))

    async def clean_up(self, context: Context) -> str:
        """See `Platform`."""
        user = await self._find(context)
        before = self._before(context)
        if user is None:
            before.forget()
            return f"Nothing is left on “{self._connection.name}”."
        if self._is_ours(user, context):
            await self._ask("DELETE", f"/wp/v2/users/{user['id']}", force="true", reassign="false")
            before.forget()
            return f"The user “{user['username']}” was deleted from “{self._connection.name}”. Nothing is left."
        held = before.recall(str(user["id"]))
        if held is not None and set(held) != set(user["roles"]):
            await self._set_roles(user, held)
        before.forget()
        roles = ", ".join(user["roles"] if held is None else held) or "none"
        left = f"{context.buyer.email} was a user of “{self._connection.name}” before and was left"
        return f"{left}, with the roles: {roles}."

    async def _grant(self, role: str, context: Context) -> Receipt:
        user = await self._find(context) or await self._create(role, context)
        if self._is_ours(user, context):
            detail = f"The user “{user['username']}” has the role “{role}”."
        else:
            self._before(context).remember(str(user["id"]), user["roles"])
            detail = f"{context.buyer.email} was a user already, and has the role “{role}” as well."
        if role not in user["roles"]:
            await self._set_roles(user, [*user["roles"], role])
        return Receipt(reference=f"user {user['id']}", detail=detail)

    async def _create(self, role: str, context: Context) -> User:
        """Make the buyer's user, or find the one that somebody, this run included, made meanwhile."""
        wanted = {
            "username": _username(context),
            "name": context.buyer.name,
            "email": context.buyer.email,
            "password": context.password,
            "roles": [role],
        }
        # A user who exists is a 500 in WordPress: seen on 6.1.
        reply = await self._send("POST", "/wp/v2/users", wanted, fine=(400, 500))
        if reply.is_good:
            return self._object(reply)
        code = self._object(reply).get("code")
        if code in ("existing_user_login", "existing_user_email"):
            found = await self._find(context)
            if found is None:
                raise Rejected(f"“{self._connection.name}” has the address or the name already, but does not show it"
                               f"{because(reply)} Choose another test buyer.")  # fmt: skip
            return found
        raise self._refused(reply, role)

    async def _revoke(self, role: str, context: Context) -> Receipt:
        user = await self._find(context)
        if user is None:
            return Receipt(reference="no user", detail=f"{context.buyer.email} is no user of the site.")
        if not self._is_ours(user, context):
            held = self._before(context).remember(str(user["id"]), user["roles"])
            if role in held:
                raise Rejected(
                    f"{context.buyer.email} had the role “{role}” before this run, and keeps it: a test-fire takes "
                    "nothing away that it did not give. Choose another test buyer."
                )
        if role in user["roles"]:
            await self._set_roles(user, [each for each in user["roles"] if each != role])
        return Receipt(reference=f"user {user['id']}", detail=f"The role “{role}” was taken away.")

    async def _set_roles(self, user: User, roles: list[str]) -> None:
        reply = await self._send("POST", f"/wp/v2/users/{user['id']}", {"roles": roles}, fine=(400,))
        if not reply.is_good:
            raise self._refused(reply, roles[-1] if roles else "")
        user["roles"] = self._object(reply)["roles"]
        if set(user["roles"]) != set(roles):
            raise Rejected(f"WordPress said yes, but the roles are now: {', '.join(user['roles']) or 'none'}.", LEVEL)

    def _refused(self, reply: Reply, role: str) -> Exception:
        about = self._object(reply)
        # Also for a role that this user may not hand out: to the seller it is the same list.
        if about.get("code") == "rest_user_invalid_role" or "roles" in (about.get("data") or {}).get("params", {}):
            return Rejected(f"“{self._connection.name}” has no role “{role}” that it would give{because(reply)}", LEVEL)
        if reply.status == 500:
            return Retriable(f"“{self._connection.name}” answered 500{because(reply)}")
        return Rejected(f"“{self._connection.name}” answered {reply.status}{because(reply)}")

    async def _find(self, context: Context) -> User | None:
        """The user with the buyer's address, or else the one that this run made."""
        for wanted, field in ((context.buyer.email, "email"), (_username(context), "username")):
            found = self._list(await self._send("GET", "/wp/v2/users", context="edit", search=wanted, per_page=100))
            for user in found:
                if str(user.get(field, "")).lower() == wanted.lower():
                    return user
        return None

    async def _content(self, url: str) -> list[str]:
        """The paragraphs of the proof page, if it is a page or a post of the site that can be asked for by its name."""
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        number = (asked.get("page_id") or asked.get("p") or [""])[0]
        slug = parts.path.rstrip("/").rpartition("/")[2]
        # Ids and names are looked for among pages and posts alike: an address does not say which of them it is.
        which: dict[str, str] = {"include": number} if number.isdigit() else {"slug": slug}
        for kind in ("pages", "posts") if number or slug else ():
            reply = await self._send(
                "GET", f"/wp/v2/{kind}", None, (400, 403, 404), status="publish,private", context="edit", **which
            )
            if reply.is_good and (found := self._list(reply)):
                content = found[0].get("content") or {}
                return paragraphs_of(str(content.get("rendered", "")))
        return []

    async def _ask(self, method: str, route: str, **params: str) -> dict[str, Any]:
        return self._object(await self._send(method, route, None, (), **params))

    async def _send(
        self, method: str, route: str, body: object = None, fine: tuple[int, ...] = (), **params: str | int
    ) -> Reply:
        return await self._api.send(
            method,
            f"{self._site}/index.php",
            headers={"authorization": self._authorization, "accept": "application/json"},
            params={"rest_route": route, **params},
            body=None if body is None else json.dumps(body),
            fine=fine,
        )

    def _object(self, reply: Reply) -> dict[str, Any]:
        found = reply.json
        if not isinstance(found, dict):
            raise self._api.no_json(reply)
        if reply.is_good and "code" in found and "message" in found:
            raise Rejected(f"“{self._connection.name}” answered {reply.status}, but with an error{because(reply)}")
        return found

    def _list(self, reply: Reply) -> list[dict[str, Any]]:
        found = reply.json
        if isinstance(found, list):
            return found
        self._object(reply)
        raise ActionRequired(f"“{self._connection.name}” does not answer as WordPress does: check its address.")

    def _is_ours(self, user: User, context: Context) -> bool:
        return bool(user["username"] == _username(context))

    def _before(self, context: Context) -> Before:
        return Before(self._around.data_dir, context.run, self._connection.slug)

    def _role(self, action: GrantAccess | RevokeAccess) -> str:
        return next((level for level in action.levels if level), "") or self._connection.role

    @property
    def _login_page(self) -> str:
        return f"{self._site}/wp-login.php"


def _username(context: Context) -> str:
    return f"wizard-{context.run}"
