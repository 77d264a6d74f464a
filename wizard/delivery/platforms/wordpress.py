"""WordPress: users and roles.

A user that a run makes bears the run's name, so that the same run finds it again; a user with the buyer's address that
was there before keeps everything else, above all their own password. A network of sites (a multisite) deletes nobody by
its API: that is said, by the check of the connection, before a user is made there.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from models.account import Connection
from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.browser import Browser
from wizard.delivery.buyer.proof import on_its_word, visit, written_in
from wizard.delivery.buyer.proof_page import keep_strangers_out
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.page import Page
from wizard.delivery.platforms import LEVEL
from wizard.delivery.platforms.before import Before
from wizard.delivery.platforms.wordpress_api import User, WordPressApi
from wizard.delivery.platforms.wordpress_roles import gives_too_much, too_much
from wizard.delivery.replies import behind

NEEDED = {
    "list_users": "see users",
    "create_users": "create users",
    "promote_users": "give users a role",
    "delete_users": "delete users",
}
"""What the connection's user must be allowed to do."""

KEEPS_USERS = (
    "It is a network of sites (multisite), which deletes nobody by its API: each test-fire leaves a user “wizard…” "
    "without a role there, to be deleted under Network Admin, Users"
)


class WordPress:
    """A WordPress site."""

    def __init__(self, connection: Connection, surroundings: Surroundings) -> None:
        """See `Platform`."""
        self._connection = connection
        self._around = surroundings
        self._api = WordPressApi(connection, surroundings)

    async def check(self, levels: Sequence[str] = ()) -> Check:
        """See `Platform`. Asks WordPress who the user is, what it would say to a new buyer in each role, and whether
        the proof page keeps strangers out."""
        await self._api.me()  # asked twice: a cache that keeps what only its own user may see answers now
        me, user = await self._api.me(), self._connection.user
        may = me.get("capabilities") or {}
        if lacking := [words for name, words in NEEDED.items() if not may.get(name)]:
            return Check(False, f"The user “{user}” may not {', '.join(lacking)}: use an administrator.")
        is_network = await self._would_take(me, self._connection.role)
        if self._connection.proof_url is not None:
            await self._login_form(self._around.new_browser())
            there = await self._api.paragraphs(self._connection.proof_url)
            await keep_strangers_out(self._connection.proof_url, written_in(self._connection), self._around, there)
        told = f"WordPress answers, and “{user}” may create users and give them roles."
        return Check(
            True,
            f"{told} {KEEPS_USERS}." if is_network else told,
            {level: await self._problem(me, level) for level in levels},
        )

    async def _problem(self, me: User, role: str) -> str:
        try:
            await self._would_take(me, role)
        except Rejected as error:
            return str(error)
        return ""

    async def _would_take(self, me: User, role: str) -> bool:
        """Whether the site, which would give a new buyer this role, is a network. Raises BackendError."""
        is_network = await self._api.would_make(me, role)
        await self._refuse_too_much(role)
        return is_network

    async def _refuse_too_much(self, role: str) -> None:
        if may := await self._api.what_it_may(role):
            raise Rejected(gives_too_much(self._connection.name, role, may), LEVEL)

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """See `Platform`."""
        context.secrets.learn(context.password)  # it is sent, and the record shows what was sent
        if isinstance(action, GrantAccess):
            receipt = await self._grant(self._role(action), context)
        else:
            receipt = await self._revoke(self._role(action), context)
        return self._api.requests.with_exchanges(receipt)

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """See `Platform`. Logs in on `wp-login.php` as a person would."""
        return self._api.requests.with_exchanges(await self._verify(action, context))

    async def _verify(self, action: GrantAccess | RevokeAccess, context: Context) -> Evidence:
        user = await self._find(context)
        role = self._role(action)
        has_role = user is not None and role in user["roles"]
        said = f"WordPress says that {context.buyer.email} {'has' if has_role else 'does not have'} the role “{role}”."
        if self._connection.proof_url is None:
            return on_its_word(written_in(self._connection), has_role, said)
        if user is None or not _is_ours(user, context):
            theirs = "The user was there before this run, with a password of their own: nobody else can log in as them."
            return on_its_word(
                written_in(self._connection), has_role, said, missing=theirs if user else "There is no such user."
            )
        people = visit(self._connection.proof_url, written_in(self._connection), self._around, context)
        before = await people.as_stranger()  # logging in leads the buyer to the page
        form = await self._login_form(people.buyer)
        login = {"log": user["username"], "pwd": context.password, "redirect_to": people.url}
        inside = await people.buyer.submit(form, login)
        if inside.url == form.url:
            return people.evidence(False, f"{people.who} could not log in: {inside.says}", inside.status)
        return await people.read(action, "logged in", await self._api.paragraphs(people.url) or (), before=before)

    async def _login_form(self, browser: Browser) -> Page:
        """The page where people log in. Raises ActionRequired where there is no form on it."""
        page = await browser.open(self._api.login_page)
        if page.gate:
            raise ActionRequired(behind(page.gate, urlsplit(page.url).netloc))
        if page.status != 200 or page.form_with("log") is None:
            where = f"sent to {page.location}" if page.location else f"status {page.status}: {page.says}"
            raise ActionRequired(
                f"There is no login form at {self._api.login_page} ({where}): nobody can log in there as the buyer. "
                "Does a plug-in move or hide it? Switch that off while you test."
            )
        return page

    async def clean_up(self, context: Context) -> str:
        """See `Platform`."""
        user = await self._find(context)
        before, name = self._before(context), self._connection.name
        if user is None:
            before.forget()
            return f"Nothing is left on “{name}”."
        if _is_ours(user, context):
            is_deleted = await self._api.delete(user)
            if not is_deleted and user["roles"]:
                await self._api.set_roles(user, [])
            before.forget()
            if is_deleted:
                return f"The user “{user['username']}” was deleted from “{name}”. Nothing is left."
            return f"The user “{user['username']}” was left on “{name}”, without a role. {KEEPS_USERS}."
        held = before.recall(str(user["id"]))
        if held is not None and set(held) != set(user["roles"]):
            await self._api.set_roles(user, held)
        before.forget()
        roles = ", ".join(user["roles"] if held is None else held) or "none"
        left = f"{context.buyer.email} was a user of “{name}” before and was left"
        return f"{left}, with the roles: {roles}."

    async def _grant(self, role: str, context: Context) -> Receipt:
        user = await self._find(context) or await self._create(role, context)
        if _is_ours(user, context):
            detail = f"The user “{user['username']}” has the role “{role}”."
        else:
            self._before(context).remember(str(user["id"]), user["roles"])
            detail = f"{context.buyer.email} was a user already, and has the role “{role}” as well."
        if role not in user["roles"]:
            await self._refuse_too_much(role)
            await self._api.set_roles(user, [*user["roles"], role])
        return Receipt(reference=f"user {user['id']}", detail=detail)

    async def _create(self, role: str, context: Context) -> User:
        """Make the buyer's user, or find the one that somebody, this run included, made meanwhile."""
        await self._refuse_too_much(role)
        if not self._was_told() and await self._api.would_make(await self._api.me(), role):
            raise ActionRequired(
                f"Nothing was made on “{self._connection.name}”. {KEEPS_USERS}. If that is fine, check the connection "
                "once: then a test-fire goes on."
            )
        buyer = context.buyer
        made = await self._api.make(_username(context), buyer.name, buyer.email, context.password, role)
        if made is None:
            made = await self._find(context)
        if made is None:
            raise Rejected(
                f"“{self._connection.name}” has the address {buyer.email} already, but does not show it: in a network "
                "it may belong to another site. Choose another test buyer."
            )
        if may := too_much(made.get("capabilities") or {}):
            raise Rejected(gives_too_much(self._connection.name, role, may), LEVEL)
        return made

    def _was_told(self) -> bool:
        """Whether a check has said what there is to know before something is made."""
        last = self._around.account.checks.get(self._connection.slug)
        return last is not None and last.levels is not None

    async def _revoke(self, role: str, context: Context) -> Receipt:
        user = await self._find(context)
        if user is None:
            return Receipt(reference="no user", detail=f"{context.buyer.email} is no user of the site.")
        if not _is_ours(user, context):
            held = self._before(context).remember(str(user["id"]), user["roles"])
            if role in held:
                raise Rejected(
                    f"{context.buyer.email} had the role “{role}” before this run, and keeps it: a test-fire takes "
                    "nothing away that it did not give. Choose another test buyer."
                )
        if role in user["roles"]:
            await self._api.set_roles(user, [each for each in user["roles"] if each != role])
        return Receipt(reference=f"user {user['id']}", detail=f"The role “{role}” was taken away.")

    async def _find(self, context: Context) -> User | None:
        """The user with the buyer's address, or else the one that this run made."""
        return await self._api.find(context.buyer.email, _username(context))

    def _before(self, context: Context) -> Before:
        return Before(self._around.data_dir, context.run, self._connection.slug)

    def _role(self, action: GrantAccess | RevokeAccess) -> str:
        return next((level for level in action.levels if level), "") or self._connection.role


def _username(context: Context) -> str:
    """The name of the run's user: letters and digits alone, since a network of sites takes no other."""
    return f"wizard{context.run}"


def _is_ours(user: User, context: Context) -> bool:
    return bool(user["username"] == _username(context))
