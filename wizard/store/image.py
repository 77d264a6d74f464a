"""What a product looks like in rows: pure, both ways. References are slugs here; `rows` turns them into keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from models import records
from models.access import AccessKind
from models.product import Product
from wizard.problems import message_of
from wizard.store.errors import Corrupt
from wizard.store.mapping import Plain, join, split

LevelKey = tuple[str, str]
"""A level, as (slug of its membership, slug of the level)."""


@dataclass(frozen=True, slots=True)
class Image:
    """All the rows of a product, as values by column."""

    product: Mapping[str, Any]
    prices: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By access kind. The columns that refer to something hold its slug."""
    levels: Mapping[str, tuple[LevelKey, ...]] = field(default_factory=dict)
    """By access kind; only a hosted membership has any."""
    bumps: tuple[str, ...] = ()


def image_of(answers: Product) -> Image:
    """Take a product apart."""
    plain = answers.model_dump(mode="json")
    currency = plain["pricing"]["currency"]
    prices = tuple(
        split(records.PricePoint, price, currency) | {"position": position, "currency": currency}
        for position, price in enumerate(plain["pricing"].pop("prices"), start=1)
    )
    access = plain["post_sale"]["access"]
    options: dict[str, Plain] = {}
    levels: dict[str, tuple[LevelKey, ...]] = {}
    for kind in AccessKind:
        option = access.pop(kind.value)
        if "levels" in option:
            levels[kind.value] = _level_keys(option["membership"], option.pop("levels"))
        options[kind.value] = split(records.AccessOption, option)
    bumps = tuple(plain["checkout"].pop("bumps"))
    return Image(split(records.Product, plain), prices, options, levels, bumps)


def answers_of(image: Image, form: type[Product], slug: str) -> Product:
    """Put a product together. Raises `Corrupt` when the rules of this version do not allow what is stored."""
    plain = join(records.Product, image.product)
    currency = plain["pricing"]["currency"]
    plain["pricing"]["prices"] = [join(records.PricePoint, price, currency) for price in image.prices]
    access = plain["post_sale"]["access"]
    for kind, values in image.options.items():
        option = join(records.AccessOption, values)
        if kind in image.levels:
            option["levels"] = [_named(key, option["membership"]) for key in image.levels[kind]]
        # An option has only the references of its own kind.
        access[kind] = {name: value for name, value in option.items() if value is not None or name not in REFERENCES}
    plain["checkout"]["bumps"] = list(image.bumps)
    try:
        return form.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(map(str, first["loc"]))
        raise Corrupt(
            f"The stored product {slug!r} breaks a rule of this version at {path}: {message_of(first)}. Go on with the "
            "version that wrote it; all others can be used.",
            path,
        ) from error


def settled(answers: Product) -> Product:
    """The answers as they will be read again: a level of the chosen membership goes by its own name, and once."""
    hosted = answers.post_sale.access.hosted_membership
    levels = tuple(_named(key, hosted.membership) for key in _level_keys(hosted.membership, list(hosted.levels)))
    if levels == hosted.levels:
        return answers
    hosted = hosted.model_copy(update={"levels": levels})
    access = answers.post_sale.access.model_copy(update={"hosted_membership": hosted})
    return answers.model_copy(update={"post_sale": answers.post_sale.model_copy(update={"access": access})})


REFERENCES = {
    column.info["answer"] for column in records.table_of(records.AccessOption).columns if "refers_to" in column.info
}
"""The answers of access options that refer to a thing of the seller's."""


def _level_keys(membership: str | None, levels: list[str]) -> tuple[LevelKey, ...]:
    """Which levels are meant: `gold` is one of the chosen membership, `other/gold` one of another. Each counts once."""
    keys = []
    for level in levels:
        of, slash, slug = level.rpartition("/")
        keys.append((of if slash else membership or "", slug))
    return tuple(dict.fromkeys(keys))


def _named(key: LevelKey, membership: str | None) -> str:
    of, slug = key
    return slug if of in (membership or "", "") else f"{of}/{slug}"
