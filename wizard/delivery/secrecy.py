"""Keeping secrets out of the record: what has been learned as a secret is replaced wherever it turns up."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import NoneType
from typing import Literal, TypeVar, cast, get_args, get_origin
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

from models.fulfillment import Exchange, Fact

MASK = "•••"

SHORTEST = 6
"""Shorter texts are not taken for secrets: masking every `a` would hide everything and protect nothing."""

PUBLIC = frozenset(
    {"login_page", "login_email", "membership_name", "link_expires", "file_name", "product_name", "charge", "proof_url"}
)
"""The variables of a receipt that are no secrets. Any other, known or not, is taken for one."""

KEPT = 4000
"""Characters of a body that are kept in the record."""

AFact = TypeVar("AFact", bound=Fact)


@cache
def _free(fact: type[Fact]) -> tuple[str, ...]:
    """The fields of a fact that may hold any text. One of a few given words is none: masked, it would not be one of
    them any more."""
    return tuple(name for name, field in fact.model_fields.items() if _may_hold_text(field.annotation))


def _may_hold_text(annotation: object) -> bool:
    kinds = get_args(annotation) or (annotation,)
    return get_origin(annotation) is not Literal and not all(
        isinstance(kind, type) and issubclass(kind, int | float | Enum | NoneType) for kind in kinds
    )


class Secrets:
    """The secrets of one run. They are held in memory only."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._longest_first: tuple[str, ...] = ()

    def learn(self, *texts: str) -> None:
        """Remember secrets, in every form in which they go over the wire."""
        for text in texts:
            if len(text) >= SHORTEST:
                escaped = json.dumps(text)[1:-1], html.escape(text), quote(text), quote(text, safe=""), quote_plus(text)
                self._forms.update((text, *escaped, json.dumps(text, ensure_ascii=False)[1:-1]))
        self._longest_first = tuple(sorted(self._forms, key=len, reverse=True))

    def learn_fields(self, *models: BaseModel) -> None:
        """Remember every field that is declared as a secret: a connection's key, a setting of a backend's. Where one
        holds several with spaces between, each."""
        found = [value.get_secret_value() for model in models for _, value in model if isinstance(value, SecretStr)]
        self.learn(*found, *(word for text in found for word in text.split()))

    def learn_values(self, values: Mapping[str, str]) -> None:
        """Remember the values of a receipt that are not known to be public."""
        self.learn(*(value for name, value in values.items() if name not in PUBLIC))

    def mask(self, text: str) -> str:
        """The text without any secret."""
        for form in self._longest_first:
            text = text.replace(form, MASK)
        return text

    def masked(self, fact: AFact, *, but: str = "") -> AFact:
        """A receipt, an evidence or a step without any secret, with bodies cut to what a record needs. `but`: a field
        that is left as it is."""
        return cast(AFact, self._plain(fact, but=but))

    # Every write of a run comes by here: what holds nothing to mask is given back as it is, and not made again.
    def _plain(self, value: object, key: str = "", *, but: str = "") -> object:
        if isinstance(value, str):
            return self.mask(value) if type(value) is str else value
        if isinstance(value, Exchange):
            bodies = {"sent": self._cut(value.sent), "received": self._cut(value.received)}
            return value.model_copy(update={"request": self.mask(value.request), **bodies})
        if isinstance(value, Fact):
            changed = {
                name: plain
                for name in _free(type(value))
                if name != but and (plain := self._plain(item := getattr(value, name), name)) is not item
            }
            return value.model_copy(update=changed) if changed else value
        if isinstance(value, dict):
            if key == "values":
                return {name: self.mask(text) if name in PUBLIC else MASK for name, text in value.items()}
            return {self.mask(name): self._plain(item) for name, item in value.items()} if value else value
        if isinstance(value, tuple):
            return tuple(self._plain(item) for item in value) if value else value
        return value

    def _cut(self, body: str) -> str:
        # Masked first: a secret that the cut goes through would keep its first half.
        masked = self.mask(body)
        return masked if len(masked) <= KEPT else masked[:KEPT] + "…"
