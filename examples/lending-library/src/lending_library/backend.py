"""The backend: asks the library for what the wizard wants, and goes there as the buyer to see whether it holds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from lending_library.library import Library, TurnedAway
from lending_library.manifest import LENDING_LIBRARY, LibrarySettings
from models.fulfillment import Action, Evidence, GrantAccess, KeepAccess, Receipt, RevokeAccess, SendEmail, ShowPage
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.errors import BackendError, Rejected

CARD_NUMBER = re.compile(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b")
"""How the number of a card looks in a letter."""

P = ParamSpec("P")
T = TypeVar("T")


class LibraryBackend:
    """Lends what is bought: a membership is a part of the library, a level is a shelf in it."""

    manifest = LENDING_LIBRARY

    def __init__(self, surroundings: Surroundings) -> None:
        settings = LibrarySettings.model_validate(surroundings.settings)
        self._folder = settings.folder
        self._stamp = settings.stamp.get_secret_value()
        self._library = Library(settings.folder, self._stamp)

    async def check(self) -> Check:
        """See `wizard.delivery.backend.Backend`."""
        await self._asked(self._library.prove_usable)
        return Check(True, f"The library in {self._folder} is open.")

    async def perform(self, action: Action, context: Context) -> Receipt:
        """Carry out one action. Whatever is done again with the same key leaves everything as it is."""
        context.secrets.learn(self._stamp)
        reader, key = context.buyer.email, context.key
        match action:
            case GrantAccess(via="hosted"):
                is_new = await self._asked(self._library.lend, reader, _shelves(action), context.run, key)
                return Receipt(
                    reference=key,
                    detail=f"Lent to {reader}: {', '.join(_shelves(action))}.",
                    values=self._login(context) if is_new and action.create_login else {},
                )
            case RevokeAccess(via="hosted"):
                await self._asked(self._library.close, reader, _shelves(action))
                return Receipt(reference=key, detail=f"Closed to {reader}: {', '.join(_shelves(action))}.")
            case SendEmail():
                letter = {"to": reader, "run": context.run, "subject": action.subject, "body": action.body}
                await self._asked(self._library.put_up, "letters", key, letter)
                return Receipt(reference=key, detail=f"“{action.subject}” lies in the reader's box.")
            case ShowPage():
                page = {"run": context.run, "text": action.url or action.text}
                await self._asked(self._library.put_up, "pages", key, page)
                return Receipt(reference=key, detail="The page is up.")
            case KeepAccess():
                return Receipt(reference=key, detail=action.reason)
        raise Rejected(f"The library cannot do this: {action.action} {action.target}.", "post_sale.access")

    def _login(self, context: Context) -> dict[str, str]:
        number = self._library.card_number(context.buyer.email)
        context.secrets.learn(number)
        return {
            "login_page": (self._folder / "cards").absolute().as_uri(),
            "login_email": context.buyer.email,
            "login_password": number,
        }

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """Go to the library as the reader, with nothing but what lies in the reader's box."""
        match action:
            case GrantAccess() | RevokeAccess():
                return await self._read_as_buyer(_shelves(action), context)
            case KeepAccess(kept=GrantAccess() as kept):
                return await self._read_as_buyer(_shelves(kept), context)
            case SendEmail():
                letters = await self._asked(self._library.letters_to, context.buyer.email)
                came = any((letter["subject"], letter["body"]) == (action.subject, action.body) for letter in letters)
                return _seen(came, f"“{action.subject}” {'lies' if came else 'does not lie'} in the reader's box.")
            case ShowPage():
                page = await self._asked(self._library.page, context.key)
                is_up = page is not None and page["text"] == (action.url or action.text)
                return _seen(is_up, f"The page is {'up' if is_up else 'not up'}.")
        return Evidence(allowed=True, proven_by="nobody", detail=f"Nothing to see: {receipt.detail}")

    async def _read_as_buyer(self, shelves: list[str], context: Context) -> Evidence:
        letters = await self._asked(self._library.letters_to, context.buyer.email)
        numbers = [number for letter in letters for number in CARD_NUMBER.findall(letter["body"])]
        context.secrets.learn(*numbers)
        if not numbers:
            return _seen(False, "No letter with the number of a card reached the reader.")
        try:
            for shelf in shelves:
                await self._asked(self._library.read, numbers[-1], shelf)
        except TurnedAway as refused:
            return _seen(False, f"The reader came with the card from the letter and was turned away: {refused}")
        return _seen(True, f"The reader came with the card from the letter and read {', '.join(shelves)}.")

    async def clean_up(self, context: Context) -> str:
        """See `wizard.delivery.backend.Backend`."""
        left = await self._asked(self._library.forget, context.run)
        if left:
            return f"The card of {', '.join(left)} was left: another run lent to it too."
        return "Everything this run made was removed."

    async def _asked(self, what: Callable[P, T], *words: P.args, **more: P.kwargs) -> T:
        """Ask the library, outside the event loop. What the disk says becomes an error of the wizard's."""
        try:
            return await asyncio.to_thread(what, *words, **more)
        except OSError as error:
            raise BackendError(
                f"The library's folder {self._folder} cannot be used: {error.strerror}. "
                "Set another one as `folder` in [backends.lending-library]."
            ) from error
        except ValueError as error:  # JSON that somebody else has written
            raise BackendError(f"A file in {self._folder} is damaged: {error}. Remove it.") from error


def _shelves(action: GrantAccess | RevokeAccess) -> list[str]:
    return [f"{action.target}/{level}" for level in action.levels]


def _seen(allowed: bool, detail: str) -> Evidence:
    return Evidence(allowed=allowed, proven_by="buyer", detail=detail)
