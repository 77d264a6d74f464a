"""Sends each action of a run where the seller's settings say: access on a connected platform to that platform, mails to
the mail server that is set, and everything else to the backend that was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from models.account import ConnectionKind
from models.fulfillment import (
    Action,
    CleanUp,
    Evidence,
    GrantAccess,
    KeepAccess,
    Receipt,
    RevokeAccess,
    RunStep,
    SendEmail,
)
from wizard.delivery.backend import Backend, Check, Context, Manifest, Surroundings
from wizard.delivery.errors import ActionRequired, BackendError, not_usable

if TYPE_CHECKING:
    from wizard.delivery.platforms import Platform
    from wizard.delivery.post import SmtpPost

OnPlatform = GrantAccess | RevokeAccess


def real_platforms(steps: Iterable[RunStep]) -> frozenset[str]:
    """The connections to real platforms that these steps are about, by slug: as it was when they were planned."""
    actions = (step.action.kept if isinstance(step.action, KeepAccess) else step.action for step in steps)
    played = ("", ConnectionKind.SANDBOX.value)
    return frozenset(action.target for action in actions if _is_on_platform(action) and action.platform not in played)


def _is_on_platform(action: object) -> TypeGuard[OnPlatform]:
    return isinstance(action, GrantAccess | RevokeAccess) and action.via == "connection"


@contextmanager
def _ours() -> Iterator[None]:
    """What goes wrong in here is nobody else's fault, whoever made the backend."""
    try:
        yield
    except (BackendError, TimeoutError):
        raise
    except Exception as error:
        raise not_usable(error) from error


class Router:
    """A backend made of several: see `Backend`."""

    def __init__(
        self, backend: Backend, around: Surroundings, platforms: Iterable[str] = (), post: SmtpPost | None = None
    ) -> None:
        """`platforms`: the connections, by slug, whose access is real. `post`: where mails go; None leaves them to the
        backend."""
        self._backend = backend
        self._around = around
        self._slugs = tuple(sorted(platforms))
        self._post = post
        self._made: dict[str, Platform] = {}
        self._letters: list[SendEmail] = []
        more = {"clean_up", *(("grant_access", "revoke_access", "keep_access") if self._slugs else ())}
        manifest = backend.manifest
        self.manifest: Manifest = replace(
            manifest,
            can=manifest.can | more | ({"send_email"} if post else set()),
            # A product leads to one platform: where that is real, nothing of it is left to the backend.
            leaves_out=manifest.leaves_out - ({"integrated_membership"} if self._slugs else set()),
        )

    async def check(self) -> Check:
        """See `Backend`."""
        return await self._backend.check()

    async def perform(self, action: Action, context: Context) -> Receipt:
        """See `Backend`."""
        if isinstance(action, CleanUp):
            return Receipt(reference=context.key, detail=await self._cleaned_up(context, action.only_platforms))
        if isinstance(action, SendEmail) and self._post is not None:
            with _ours():
                receipt = await self._post.perform(action, context)
            if action not in self._letters:
                self._letters.append(action)
            return receipt
        if isinstance(action, KeepAccess) and self._leads_to_platform(action.kept):
            return Receipt(reference=context.key, detail=action.reason)
        if self._leads_to_platform(action):
            with _ours():
                return await self._platform(action.target).perform(action, context)
        return await self._backend.perform(action, self._with_letters(context))

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """See `Backend`."""
        if isinstance(action, CleanUp):
            return Evidence(allowed=True, proven_by="platform", detail=receipt.detail)
        if isinstance(action, SendEmail) and self._post is not None:
            with _ours():
                return await self._post.verify(action, receipt, context)
        if isinstance(action, KeepAccess) and self._leads_to_platform(action.kept):
            with _ours():
                evidence = await self._platform(action.kept.target).verify(action.kept, receipt, context)
            return evidence.model_copy(update={"detail": f"Kept: {action.reason}. {evidence.detail}"})
        if self._leads_to_platform(action):
            with _ours():
                return await self._platform(action.target).verify(action, receipt, context)
        return await self._backend.verify(action, receipt, self._with_letters(context))

    async def clean_up(self, context: Context) -> str:
        """See `Backend`."""
        return await self._cleaned_up(context, only_platforms=False)

    async def _cleaned_up(self, context: Context, only_platforms: bool) -> str:
        """Whatever one of them cannot remove, the others are still asked."""
        said, errors = [], []
        for slug in ("", *self._slugs)[only_platforms:]:
            try:
                said.append(await (self._platform(slug) if slug else self._backend).clean_up(context))
            except BackendError as error:
                errors.append(error)
            except Exception as error:  # whatever a third party's plug-in raises
                errors.append(BackendError(f"Cleaning up broke ({type(error).__name__}: {error})."))
        if errors:
            raise errors[0]
        return " ".join(said)

    def _with_letters(self, context: Context) -> Context:
        return replace(context, letters=tuple(self._letters))

    def _leads_to_platform(self, action: object) -> TypeGuard[OnPlatform]:
        return _is_on_platform(action) and action.target in self._slugs

    def _platform(self, slug: str) -> Platform:
        if slug not in self._made:
            from wizard.delivery.platforms import platform_for

            account = self._around.account
            if slug in account.unreadable:
                raise ActionRequired(account.unreadable[slug])
            connection = next((each for each in account.account.connections if each.slug == slug), None)
            if connection is None or connection.kind is ConnectionKind.SANDBOX:
                gone = f"The connection “{slug}” led to a real platform when this run began, and does not any more."
                raise ActionRequired(f"{gone} What the run made there must be looked after by hand.")
            self._made[slug] = platform_for(connection, self._around)
        return self._made[slug]
