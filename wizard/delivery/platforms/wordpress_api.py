"""The REST API of WordPress's core, asked with an application password.

https://developer.wordpress.org/rest-api/reference/users/. It is asked at `index.php?rest_route=`, which works also
where pretty addresses are switched off.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

from models.account import Connection
from models.addresses import in_ascii, one_spelling, same_buyer
from wizard.delivery.backend import Surroundings
from wizard.delivery.buyer.proof import paragraphs_of
from wizard.delivery.errors import ActionRequired, Rejected, Retriable
from wizard.delivery.platforms import LEVEL
from wizard.delivery.platforms.api import Api, Reply, because
from wizard.delivery.platforms.wordpress_roles import EVERYWHERE, too_much

User = dict[str, Any]

TAKEN = ("existing_user_login", "existing_user_email", "user_name", "user_email")
"""What WordPress answers to a name or an address that somebody has: alone, and in a network."""

NO_PAGES = ("media", "menu-items", "blocks", "templates", "template-parts", "navigation")
"""Kinds of content that have no page of their own."""


class WordPressApi:
    """One site."""

    def __init__(self, connection: Connection, surroundings: Surroundings) -> None:
        self.name = connection.name
        self.site = _site_of(connection.url or "")
        self.user = connection.user
        password = connection.application_password.get_secret_value() if connection.application_password else ""
        self._authorization = f"Basic {b64encode(f'{connection.user}:{password}'.encode()).decode()}"
        surroundings.secrets.learn(password, self._authorization, self._authorization.partition(" ")[2])
        self.requests = Api(surroundings.client(), connection.name)

    @property
    def login_page(self) -> str:
        """Where people log in."""
        return f"{self.site}/wp-login.php"

    # --- users --------------------------------------------------------------------------------------------------------

    async def me(self) -> User:
        """The user whose application password it is."""
        me = self.object(await self.send("GET", "/wp/v2/users/me", context="edit"))
        if not isinstance(me.get("capabilities"), dict):
            raise self._unlike_wordpress()
        return me

    async def find(self, email: str, username: str) -> User | None:
        """The user with this address, or else the one of this name."""
        address = in_ascii(one_spelling(email))  # WordPress takes no other, and searches without regard to case
        for wanted, is_it in (
            (address, lambda user: same_buyer(str(user.get("email", "")), email)),
            (username, lambda user: user.get("username") == username),
        ):
            reply = await self.send("GET", "/wp/v2/users", context="edit", search=wanted, per_page=100)
            if (found := next(filter(is_it, self.listed(reply)), None)) is not None:
                return found
        return None

    async def make(self, username: str, name: str, email: str, password: str, role: str) -> User | None:
        """Make a user; None where somebody has the name or the address. Raises Rejected, with the field for a role that
        there is not."""
        address = in_ascii(email)
        if not address.isascii():
            raise Rejected(f"WordPress takes addresses in Latin letters without accents alone, and {email} has others: "
                           "choose another test buyer.")  # fmt: skip
        wanted = {"username": username, "name": name, "email": address, "password": password, "roles": [role]}
        reply = await self._asked_to_make(wanted)
        if reply.is_good:
            return self.object(reply)
        if codes_of(self.object(reply)) & {*TAKEN}:
            return None
        raise self.refused(reply, role)

    async def would_make(self, me: User, role: str) -> bool:
        """Ask for the connection's own user once more, which no WordPress makes: what it says of that is what it would
        say of a buyer. Say whether it is a network of sites (a multisite).

        Raises ActionRequired where the user may create nobody, and Rejected, with the field, for a role that it has not
        or would not give.
        """
        known = {"username": me.get("username"), "email": me.get("email"), "roles": [role]}
        if not all(known.values()):
            raise self._unlike_wordpress()
        reply = await self._asked_to_make({**known, "password": secrets.token_urlsafe()})
        codes = codes_of(self.object(reply))
        if codes & {*TAKEN}:
            return "rest_invalid_param" in codes
        if "rest_cannot_create_user" in codes:
            raise ActionRequired(
                f"“{self.name}” lets “{self.user}” create nobody, whatever the role says. In a network of sites "
                "(multisite) only a network administrator may: use the application password of one."
            )
        raise self.refused(reply, role)

    async def _asked_to_make(self, user: User) -> Reply:
        # A user who exists is a 500 in WordPress: seen on 6.1.
        return await self.send("POST", "/wp/v2/users", user, fine=(400, 403, 500))

    async def set_roles(self, user: User, roles: list[str]) -> None:
        """Give a user these roles and no others."""
        reply = await self.send("POST", f"/wp/v2/users/{user['id']}", {"roles": roles}, fine=(400,))
        if not reply.is_good:
            raise self.refused(reply, roles[-1] if roles else "")
        user["roles"] = self.object(reply)["roles"]
        if set(user["roles"]) != set(roles):
            raise Rejected(f"WordPress said yes, but the roles are now: {', '.join(user['roles']) or 'none'}.", LEVEL)

    async def delete(self, user: User) -> bool:
        """Delete a user; False where the site deletes nobody by its API, as a network of sites does not."""
        reply = await self.send("DELETE", f"/wp/v2/users/{user['id']}", fine=(501,), force="true", reassign="false")
        found = self.object(reply)
        if reply.status == 501:
            return False
        if found.get("deleted") is not True:
            raise Rejected(f"WordPress said yes, but not that the user “{user['username']}” was deleted: look for it.")
        return True

    async def what_it_may(self, role: str) -> tuple[str, ...]:
        """What a role may do that no buyer should, as far as it can be known before somebody has it."""
        if role in EVERYWHERE:
            return EVERYWHERE[role]
        holders = self.listed(await self.send("GET", "/wp/v2/users", context="edit", roles=role, per_page=20))
        alone = next((user for user in holders if user.get("roles") == [role]), {})
        return too_much(alone.get("capabilities") or {})

    # --- pages --------------------------------------------------------------------------------------------------------

    async def paragraphs(self, url: str) -> list[str] | None:
        """The paragraphs of a page, a post or whatever else the site keeps at an address; None where it knows of none
        there."""
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        number = (asked.get("page_id") or asked.get("p") or [""])[0]
        slug = parts.path.rstrip("/").rpartition("/")[2]
        # Ids and names are looked for among all kinds: an address does not say which of them it is.
        which: dict[str, str] = {"include": number} if number.isdigit() else {"slug": slug}
        if not all(which.values()):
            return None
        for kind in await self._kinds():
            reply = await self.send(
                "GET", f"/wp/v2/{kind}", None, (400, 403, 404), status="publish,private", context="edit", **which
            )
            if reply.is_good and (found := self.listed(reply)):
                content = found[0].get("content") or {}
                return paragraphs_of(str(content.get("rendered", "")))
        return None

    async def _kinds(self) -> list[str]:
        """The kinds of content that the site has, as its API calls them: pages and posts first."""
        reply = await self.send("GET", "/wp/v2/types", fine=(401, 403, 404))
        found = self.object(reply).values() if reply.is_good else ()
        kinds = [
            kind["rest_base"] for kind in found if isinstance(kind, dict) and isinstance(kind.get("rest_base"), str)
        ]
        return list(dict.fromkeys(["pages", "posts", *(kind for kind in kinds if kind not in NO_PAGES)]))

    # --- the wire -----------------------------------------------------------------------------------------------------

    async def send(
        self, method: str, route: str, body: object = None, fine: tuple[int, ...] = (), **params: str | int
    ) -> Reply:
        """Ask the API. Raises BackendError."""
        return await self.requests.send(
            method,
            f"{self.site}/index.php",
            headers={"authorization": self._authorization, "accept": "application/json"},
            params={"rest_route": route, **params},
            body=None if body is None else json.dumps(body),
            fine=fine,
        )

    def object(self, reply: Reply) -> dict[str, Any]:
        """What was answered, as an object. Raises BackendError."""
        found = reply.json
        if not isinstance(found, dict):
            raise self.requests.no_json(reply)
        if reply.is_good and "code" in found and "message" in found:
            raise Rejected(f"“{self.name}” answered {reply.status}, but with an error{because(reply)}")
        return found

    def listed(self, reply: Reply) -> list[dict[str, Any]]:
        """What was answered, as a list. Raises BackendError."""
        found = reply.json
        if isinstance(found, list):
            return found
        self.object(reply)
        raise self._unlike_wordpress()

    def refused(self, reply: Reply, role: str) -> Rejected | Retriable:
        """What a refused user means to a seller."""
        about = self.object(reply)
        # Also for a role that this user may not hand out: to the seller it is the same list.
        if about.get("code") == "rest_user_invalid_role" or "roles" in ((about.get("data") or {}).get("params") or {}):
            return Rejected(f"“{self.name}” has no role “{role}” that it would give{because(reply)}", LEVEL)
        if reply.status == 500:
            return Retriable(f"“{self.name}” answered 500{because(reply)}", place=urlsplit(self.site).netloc)
        return Rejected(f"“{self.name}” answered {reply.status}{because(reply)}")

    def _unlike_wordpress(self) -> ActionRequired:
        return ActionRequired(f"“{self.name}” does not answer as WordPress does: check its address.")


def _site_of(address: str) -> str:
    """The address of a site, out of one that was copied from a browser."""
    site = address.partition("?")[0].partition("#")[0].rstrip("/")
    for page in ("/index.php", "/wp-login.php", "/wp-json", "/wp-admin"):
        site = site.removesuffix(page)
    return site.rstrip("/")


def codes_of(about: dict[str, Any]) -> set[str]:
    """The codes of an error, also of those that stand behind it."""
    more = about.get("additional_errors")
    errors = [about, *(more if isinstance(more, list) else ())]
    return {str(error.get("code")) for error in errors if isinstance(error, dict)}
