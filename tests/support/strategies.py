"""Valid answers of every kind, made from the models' own declarations: a new question is covered without a word here.

`products()` draws a product that refers to nothing but the things of `ACCOUNT`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal

import annotated_types as limits
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError
from pydantic.fields import FieldInfo

from models import affiliates, characters, money, text
from models.access import HostedMembership
from models.account import Account
from models.ask import Ask
from models.choice import Choice
from models.pricing import InitialPayment, Period, PricePoint, PriceType, Pricing
from models.product import Product

ACCOUNT = Account.model_validate(
    {
        "memberships": [
            {"slug": "open-house", "name": "Open House", "levels": ["all"], "password_protected": False},
            {"slug": "yoga-club", "name": "Yoga Club", "levels": ["silver", "gold"]},
        ],
        "connections": [
            {"slug": "blog", "name": "Blog", "kind": "ghost", "admin_api_key": "0123:89ab", "tier": "gold"},
            {"slug": "my-site", "name": "My site"},
        ],
        "files": [{"slug": "workbook", "name": "Workbook", "path": "workbook.pdf"}],
        "calendars": [{"slug": "coaching", "name": "Coaching call", "confirmation": "You are booked."}],
        "webinars": [{"slug": "intro", "name": "Introduction", "confirmation": "See you on Friday."}],
    }
)

SLUGS = {
    "membership": [m.slug for m in ACCOUNT.memberships],
    "connection": [c.slug for c in ACCOUNT.connections],
    "file": [f.slug for f in ACCOUNT.files],
    "calendar": [c.slug for c in ACCOUNT.calendars],
    "webinar": [w.slug for w in ACCOUNT.webinars],
}

LETTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters=characters.BIDI_CONTROLS | characters.INVISIBLE
)
HOSTS = st.sampled_from(["example.com", "shop.example.org", "xn--bcher-kva.example", "[2001:db8::1]:8443"])
PATHS = st.sampled_from(["", "/", "/a/b.php", "/?q=1&r=%20", "/~me#top", "/ünïcode"])
EMAILS = st.sampled_from(["help@example.com", "a.b+c@sub.example.org", "büro@example.com", "x@xn--bcher-kva.example"])
PERCENTS = st.decimals(0, 100, places=2).map(str) | st.integers(0, 100).map(str)
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CHF"])


def lines(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """One line of text as the models keep it."""
    raw = st.text(LETTERS, min_size=shortest, max_size=min(longest, 20))
    return raw.map(text.one_line).filter(lambda line: shortest <= len(line) <= longest)


def names_elsewhere(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """A name that somebody else gave, as it is written."""
    raw = st.text(LETTERS, min_size=shortest, max_size=min(longest, 20))
    return raw.map(text.as_written).filter(lambda name: shortest <= len(name) <= longest)


def paragraphs(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Several lines of text as the models keep it."""
    raw = st.text(LETTERS | st.sampled_from("\n\t"), min_size=shortest, max_size=min(longest, 30))
    return raw.map(text.several_lines).filter(lambda lines: shortest <= len(lines) <= longest)


BY_RULE: dict[Callable[..., Any], Callable[[int, int], st.SearchStrategy[str]]] = {
    text.one_line: lines,
    text.a_name: lambda *lengths: lines(*lengths).filter(characters.is_seen),
    text.as_written: names_elsewhere,
    text.is_level: lambda *_: st.from_regex(text.SLUG, fullmatch=True),
    text.several_lines: paragraphs,
    text.is_slug: lambda *_: st.from_regex(text.SLUG, fullmatch=True),
    text.is_web_address: lambda *_: st.builds("{}://{}{}".format, st.sampled_from(["http", "https"]), HOSTS, PATHS),
    text.is_https_address: lambda *_: st.builds("https://{}{}".format, HOSTS, PATHS),
    text.is_email: lambda *_: EMAILS,
    money.is_amount: lambda *_: st.integers(0, 10**9 - 1).map(str),
    affiliates.is_percent: lambda *_: PERCENTS,
    money.is_currency: lambda *_: CURRENCIES,
}
"""How to write a text that a rule lets through, by its shortest and longest length."""


@cache
def valid(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Valid answers of a model."""
    # Deferred, since a report would otherwise spell out how every part of a product is drawn.
    return st.deferred(lambda: BY_HAND[model]() if model in BY_HAND else _by_declaration(model))


def _by_declaration(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    fields = {name: _of_field(field.annotation, field.metadata) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields).filter(lambda plain: _fits(model, plain)).map(model.model_validate)


def _fits(model: type[BaseModel], plain: dict[str, Any]) -> bool:
    try:
        model.model_validate(plain)
    except ValidationError:
        return False
    return True


def _of_field(annotation: Any, notes: list[Any]) -> st.SearchStrategy[Any]:
    subject = next((note.subject for note in notes if isinstance(note, Ask)), None)
    if subject in SLUGS:
        return st.none() | st.sampled_from(SLUGS[subject])
    if subject == "product":
        return st.just(())
    return _of_type(annotation, [note for note in notes if not isinstance(note, Ask)])


def _of_type(annotation: Any, notes: list[Any]) -> st.SearchStrategy[Any]:
    # A `Field` inside `Annotated` brings its limits along.
    notes = [inner for note in notes for inner in (note.metadata if isinstance(note, FieldInfo) else [note])]
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _of_type(parts[0], [*parts[1:], *notes])
    if origin in (types.UnionType, typing.Union):
        # Rules of the union as a whole, such as that of `unlimited`, hold for the part that has limits.
        return st.one_of([_of_type(part, notes) for part in parts])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        longest = next((note.max_length for note in notes if isinstance(note, limits.MaxLen)), 4)
        return _rows(parts[0], min(longest, 4)).map(tuple)
    if annotation is type(None):
        return st.none()
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        least: Any = next(note.ge for note in notes if isinstance(note, limits.Ge))
        most: Any = next(note.le for note in notes if isinstance(note, limits.Le))
        return st.integers(least, most)
    if annotation is str:
        return _of_text(notes)
    if issubclass(annotation, Choice):
        return st.sampled_from(list(annotation))
    assert issubclass(annotation, BaseModel), annotation
    return valid(annotation)


def _rows(part: Any, longest: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(_of_type(part, []), max_size=longest, unique_by=_name_of_row)


def _name_of_row(row: Any) -> Any:
    # Rows with an id have each id once; other rows may be alike.
    return getattr(row, "id", None) or (row if isinstance(row, str) else id(row))


def _of_text(notes: list[Any]) -> st.SearchStrategy[str]:
    # Later notes narrow what earlier ones allow.
    shortest, longest, rule = 0, 5000, None
    for note in notes:
        if isinstance(note, StringConstraints):
            if isinstance(note.pattern, str):
                return st.from_regex(note.pattern, fullmatch=True)
            shortest, longest = note.min_length or shortest, min(note.max_length or longest, longest)
        if isinstance(note, limits.MinLen):
            shortest = note.min_length
        if isinstance(note, limits.MaxLen):
            longest = min(note.max_length, longest)
        if isinstance(note, AfterValidator):
            rule = note.func
    return BY_RULE[rule](shortest, longest) if rule else lines(shortest, longest)


# --- what the declarations alone do not say ---------------------------------------------------------------------------


def amounts(currency: str, least: int) -> st.SearchStrategy[str]:
    """Amounts from so many minor units up, with and without decimals."""
    places = money.decimals(currency)
    whole = st.integers(max(least, 1) if least else 0, 10**6).map(str)
    return whole | st.integers(least, 10**9 - 1).map(lambda units: f"{units / 10**places:.{places}f}")


@st.composite
def _pricing(draw: st.DrawFn) -> Pricing:
    currency = draw(CURRENCIES)
    prices = draw(st.lists(_price(currency), max_size=3))
    rest = {
        name: draw(_of_field(field.annotation, field.metadata))
        for name, field in Pricing.model_fields.items()
        if name not in ("currency", "prices")
    }
    return Pricing(currency=currency, prices=tuple(prices), **rest)


@st.composite
def _price(draw: st.DrawFn, currency: str) -> PricePoint:
    kind = draw(st.sampled_from(PriceType))
    payments = draw(st.none() | st.integers(2, 120))
    period = draw(st.none() | st.sampled_from(Period))
    longer = [
        cycle for cycle in Period if cycle.longest_days > (payments or 0) * (period.longest_days if period else 0)
    ]
    is_repeated = kind is not PriceType.ONE_TIME
    initial = st.builds(InitialPayment, amount=amounts(currency, 0), days=st.integers(1, 730))
    given: dict[str, Any] = {
        "type": kind,
        "amount": draw(st.none() | amounts(currency, 1 if is_repeated else 0)),
        "period": period,
        "payments": payments,
        "cycle": draw(st.none() | st.sampled_from(longer)) if longer else None,
        "initial_payment": draw(st.none() | initial),
    }
    rest = {
        name: draw(_of_field(field.annotation, field.metadata))
        for name, field in PricePoint.model_fields.items()
        if name not in given
    }
    return PricePoint(**given, **rest)


@st.composite
def _hosted(draw: st.DrawFn) -> HostedMembership:
    """Levels of the chosen membership by their own names, of others by both names."""
    chosen = draw(st.none() | st.sampled_from(ACCOUNT.memberships))
    known = [
        level if membership == chosen else f"{membership.slug}/{level}"
        for membership in ACCOUNT.memberships
        for level in membership.levels
    ]
    given: dict[str, Any] = {
        "membership": chosen.slug if chosen else None,
        "levels": draw(st.lists(st.sampled_from(known), unique=True).map(tuple)),
    }
    rest = {
        name: draw(_of_field(field.annotation, field.metadata))
        for name, field in HostedMembership.model_fields.items()
        if name not in given
    }
    return HostedMembership(**given, **rest)


BY_HAND: dict[type[BaseModel], Callable[[], st.SearchStrategy[Any]]] = {Pricing: _pricing, HostedMembership: _hosted}


def products() -> st.SearchStrategy[Product]:
    """Products of valid answers, complete or not, whose references are in `ACCOUNT`."""
    return valid(Product)
