"""What a document may hold, made from the models' own declarations: one set of models for reading and for the schema.

A document is shaped like the answers, with three differences. Access is flat: `kind`, the chosen option's keys, and
`kept` for the other options'. A secret is a placeholder. And a product has a `slug`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag, create_model
from pydantic.fields import FieldInfo

from models.access import Access
from models.account import Account, Connection
from models.ask import Answers, Ask
from models.post_sale import PostSale
from models.product import Product
from models.text import Slug
from wizard.documents.places import Place, Placeholder

VERSION = 1
"""The version of documents that is read and written."""

UNDECIDED = "undecided"
"""The tag of an access whose option is not chosen. It never stands in a document."""


def models_in(annotation: Any) -> Iterator[type[Answers]]:
    """The models of ours inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Answers):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def mark_of(field: FieldInfo) -> Ask | None:
    """How the question of a field is asked, if it is one."""
    return next((mark for mark in field.metadata if isinstance(mark, Ask)), None)


SECRETS = frozenset(
    name for name, field in Connection.model_fields.items() if (mark := mark_of(field)) and mark.kind == "secret"
)
"""The keys whose values are secrets: no message repeats one."""


def options_of(access: type[Access] = Access) -> dict[str, type[Answers]]:
    """The model of each access option by its kind."""
    return {
        name: next(models_in(field.annotation))
        for name, field in access.model_fields.items()
        if (mark := mark_of(field)) is not None and mark.kind == "group"
    }


def _tag_of(given: object) -> str | None:
    kind = given.get("kind") if isinstance(given, dict) else getattr(given, "kind", None)
    if kind is None:
        return UNDECIDED if isinstance(given, dict | Answers) else None
    return str(kind)


@cache
def _access(access: type[Access]) -> Any:
    """The flat form of access: one model for each option, and one for none chosen yet."""
    options = options_of(access)
    found = []
    for kind in (*options, UNDECIDED):
        model: Any = options.get(kind, Answers)
        others: dict[str, Any] = {name: (option, option()) for name, option in options.items() if name != kind}
        kept: Any = create_model(f"KeptBeside_{kind}", __base__=Answers, **others)
        chosen: Any = (Literal[kind], ...) if kind in options else (None, None)
        keys: dict[str, Any] = {"kind": chosen, "kept": (kept, kept())}
        flat: Any = create_model(f"Access_{kind}", __base__=model, __doc__=model.__doc__, **keys)
        found.append(Annotated[flat, Tag(kind)])
    return Annotated[reduce(or_, found), Discriminator(_tag_of)]


def access_model(tag: str, access: type[Access] = Access) -> type[Answers]:
    """The flat model of one option."""
    return next(model for model in models_in(_access(access)) if model.__name__ == f"Access_{tag}")


def _field(field: FieldInfo, annotation: Any) -> tuple[Any, FieldInfo]:
    copy = FieldInfo.from_annotated_attribute(annotation, field.default)
    copy.metadata.extend(mark for mark in field.metadata if isinstance(mark, Ask))
    return annotation, copy


@cache
def thing_model(thing: type[Answers]) -> type[Answers]:
    """The form of one of the seller's things: secrets as placeholders, a file by a place beside the document."""
    changed: dict[str, Any] = {}
    for name, field in thing.model_fields.items():
        mark = mark_of(field)
        if mark is not None and mark.kind == "secret":
            changed[name] = _field(field, Placeholder | None)
        elif name == "path":
            changed[name] = (Annotated[Place, mark], ...)
        elif name == "name":
            changed[name] = (Annotated[field.annotation, *field.metadata], ...)
    return create_model(f"{thing.__name__}Document", __base__=thing, __doc__=thing.__doc__, **changed)


@cache
def account_model(account: type[Account] = Account) -> type[Answers]:
    """The form of everything the seller owns."""
    lists: dict[str, Any] = {}
    for name, field in account.model_fields.items():
        thing: Any = thing_model(next(models_in(field.annotation)))
        lists[name] = (tuple[thing, ...], ())
    return create_model("AccountDocument", __base__=Answers, __doc__=account.__doc__, **lists)


@cache
def product_model(product: type[Product] = Product) -> type[Answers]:
    """The form of one product."""
    steps: dict[str, Any] = {}
    for name, field in product.model_fields.items():
        step = next(models_in(field.annotation))
        if issubclass(step, PostSale):
            access = next(models_in(step.model_fields["access"].annotation))
            flat: Any = {"access": (_access(access), access_model(UNDECIDED, access)())}  # type: ignore[arg-type]
            step = create_model("PostSaleDocument", __base__=step, __doc__=step.__doc__, **flat)
        steps[name] = (step, step())
    slug: Any = {"slug": (Slug | None, None)}
    return create_model("ProductDocument", __base__=Answers, __doc__=product.__doc__, **slug, **steps)


def _is_the_version(version: int) -> int:
    if version != VERSION:
        raise ValueError(f"this program reads documents of version {VERSION}; write wizard: {VERSION}")
    return version


@cache
def document_model(product: type[Product] = Product) -> type[Answers]:
    """The form of a whole document."""
    one: Any = product_model(product)
    parts: dict[str, Any] = {
        "wizard": (Annotated[int, AfterValidator(_is_the_version), Field(json_schema_extra={"const": VERSION})], ...),
        "account": (account_model(), account_model()()),
        "products": (tuple[one, ...], ()),
    }
    return create_model("Document", __base__=Answers, __doc__="Products and what they need.", **parts)


def schema(product: type[Product] = Product) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a document, for editors to complete and check it."""
    found = document_model(product).model_json_schema()
    _simplify(found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "Product wizard document"}


def _simplify(schema: Any) -> None:
    """Take out what says nothing in an editor: defaults of whole groups, and titles that repeat a key."""
    if isinstance(schema, list):
        for inner in schema:
            _simplify(inner)
    elif isinstance(schema, dict):
        if isinstance(schema.get("default"), dict | list) or schema.get("default", "-") in ("", None):
            schema.pop("default")
        for short, word in (("ge", "minimum"), ("le", "maximum")):
            # Pydantic writes a bound that stands behind a function of ours in its own words.
            if isinstance(schema.get(short), int):
                schema[word] = schema.pop(short)
        for key, inner in schema.items():
            if key != "default":
                _simplify(inner)
