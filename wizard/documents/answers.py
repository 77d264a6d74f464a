"""Between the form of a document and the answers of a product."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from models.access import Access
from models.ask import Answers
from models.product import Product
from wizard import flow
from wizard.documents.shape import mark_of, models_in, options_of

ACCESS = "post_sale.access"


@cache
def default_of(model: type[Answers], name: str) -> Any:
    """The default of a field."""
    return model.model_fields[name].get_default(call_default_factory=True, validated_data={})


def with_defaults(model: type[Answers], given: Any) -> Any:
    """What a document says of a group, over that group's own standard wording where it has one.

    A notification is a group whose default is a whole template: a document that changes its subject keeps its body.
    """
    if not isinstance(given, dict):
        return given
    merged = dict(given)
    for name, field in model.model_fields.items():
        default = default_of(model, name)
        if isinstance(default, Answers) and isinstance(given.get(name), dict):
            plain = default.model_dump(mode="json") if default != type(default)() else {}
            merged[name] = {**plain, **with_defaults(type(default), given[name])}
        elif isinstance(given.get(name), list):
            [row, *_] = [*models_in(field.annotation), None]
            if row is not None:
                merged[name] = [with_defaults(row, entry) for entry in given[name]]
    return merged


def answers_of(document: Answers, product: type[Product] = Product) -> Product:
    """The answers that a product's document gives. Raises pydantic's ValidationError."""
    steps = {}
    for name, field in product.model_fields.items():
        model, given = next(models_in(field.annotation)), getattr(document, name)
        values = {inner: getattr(given, inner) for inner in model.model_fields}
        if f"{name}.access" == ACCESS:
            values["access"] = _nested(given.access, next(models_in(model.model_fields["access"].annotation)))
        steps[name] = model.model_validate(values)
    return product.model_validate(steps)


def _nested(flat: Any, access: type[Answers]) -> Answers:
    assert issubclass(access, Access)
    found: dict[str, Any] = {"kind": flat.kind}
    for kind, option in options_of(access).items():
        source = flat if kind == flat.kind else getattr(flat.kept, kind)
        found[kind] = option.model_validate({name: getattr(source, name) for name in option.model_fields})
    return access.model_validate(found)


def written(answers: Answers, default: Answers | None = None) -> dict[str, Any]:
    """What a document says of a group: the answers that differ from its defaults, as plain values."""
    model = type(answers)
    plain = answers.model_dump(mode="json")
    found: dict[str, Any] = {}
    for name in model.model_fields:
        value = getattr(answers, name)
        base = getattr(default, name) if default is not None else default_of(model, name)
        if value == base:
            continue
        if isinstance(value, Access):
            found[name] = _flat(value)
        elif isinstance(value, Answers):
            found[name] = written(value, base) if isinstance(base, Answers) else _whole(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Answers):
            found[name] = [_row(row) for row in value]
        else:
            found[name] = plain[name]
    return found


def _whole(group: Answers) -> dict[str, Any]:
    return {name: value for name, value in group.model_dump(mode="json").items() if value is not None}


def _row(row: Answers) -> dict[str, Any]:
    # The first question of a row tells it apart, so it is written even when it is the default.
    first = next(iter(type(row).model_fields))
    value = getattr(row, first)
    head = {first: flow.as_plain(value)} if value is not None and not isinstance(value, Answers) else {}
    return head | written(row)


def _flat(access: Access) -> dict[str, Any]:
    found: dict[str, Any] = {} if access.kind is None else {"kind": access.kind.value}
    kept = {}
    for kind in options_of(type(access)):
        said = written(getattr(access, kind))
        if kind == access.kind:
            found |= said
        elif said:
            kept[kind] = said
    return found | ({"kept": kept} if kept else {})


def place_of(path: str, kind: str | None) -> str:
    """Where the answer at a path stands in the product's document, when `kind` is the chosen option."""
    below = path.removeprefix(f"{ACCESS}.")
    if below == path or below == "kind":
        return path
    option, _, rest = below.partition(".")
    return f"{ACCESS}.{rest}" if option == kind else f"{ACCESS}.kept.{below}"


def references(product: Product) -> Iterator[tuple[str, str, str]]:
    """Every thing that a product's answers name: the path of the answer, what it refers to, and its slug."""
    for name, field in type(product).model_fields.items():
        yield from _references(getattr(product, name), next(models_in(field.annotation)), name)


def _references(scope: Any, model: type[Answers], below: str) -> Iterator[tuple[str, str, str]]:
    for name, subject in _leading_on(model):
        path, value = f"{below}.{name}", getattr(scope, name)
        if subject:
            slugs = [value] if isinstance(value, str) else value or ()
            yield from ((path, subject, slug) for slug in slugs)
        elif isinstance(value, Answers):
            yield from _references(value, type(value), path)
        elif isinstance(value, tuple):
            for number, row in enumerate(value):
                if isinstance(row, Answers):
                    yield from _references(row, type(row), f"{path}.{number}")


@cache
def _leading_on(model: type[Answers]) -> tuple[tuple[str, str], ...]:
    """The fields that name things, each with what it names, and those whose own answers may, with nothing."""
    found = []
    for name, field in model.model_fields.items():
        mark = mark_of(field)
        if mark is not None and mark.kind in ("reference", "references") and mark.subject:
            found.append((name, str(mark.subject)))
        elif any(_leading_on(inner) for inner in models_in(field.annotation)):
            found.append((name, ""))
    return tuple(found)


__all__ = ["answers_of", "default_of", "place_of", "references", "with_defaults", "written"]


def without_bumps(answers: Product, gone: set[str]) -> Product:
    """The answers without bump offers that there are not, or not yet."""
    if not gone:
        return answers
    bumps = tuple(slug for slug in answers.checkout.bumps if slug not in gone)
    return answers.model_copy(update={"checkout": answers.checkout.model_copy(update={"bumps": bumps})})
