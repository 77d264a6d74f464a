"""Documents into the store: checked completely first, then changed, and changing nothing the second time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SecretStr

from models.account import File, Membership, Owned
from models.ask import Answers
from models.post_sale import Notifications
from models.product import Product
from models.references import OtherProduct, References
from models.saved import Change, NewProduct
from wizard import flow, progress
from wizard.documents.answers import default_of, without_bumps
from wizard.documents.checking import load
from wizard.documents.gathering import ORDER, Described, Gathered, gather
from wizard.documents.mistakes import DocumentError, Mistake
from wizard.mail import templates
from wizard.session import changes_between
from wizard.store.rule_targets import rule_targets

if TYPE_CHECKING:
    from wizard.store import Store


class Remark(Answers):
    """Something that was accepted and that buyers would stumble over."""

    field: str
    """The question it is about, by its path."""
    message: str


class ObjectChange(Answers):
    """What applying a document does to one thing or product."""

    object: Literal["membership", "file", "calendar", "webinar", "connection", "product"]
    name: str
    """Its slug."""
    change: Literal["created", "updated", "unchanged"]
    fields: tuple[str, ...] = ()
    """The answers that are not what they were, or not the default."""
    details: Annotated[tuple[Change, ...], Field(exclude=True, repr=False)] = ()
    """The same with what each was and will be, secrets masked."""
    warnings: tuple[Remark, ...] = ()
    """What keeps a product from going live although the document is right: variables that nothing fills in mails."""


def apply(
    paths: Sequence[Path],
    store: Store,
    dry_run: bool = False,
    who: str = "document",
    environment: Mapping[str, str] = os.environ,
) -> list[ObjectChange]:
    """Make true what documents say, and tell what that changes; with `dry_run`, only tell.

    All of it is one transaction: whatever stops it, a full disk or the end of the process, leaves everything as it was.
    Raises DocumentError with every mistake of every document; then what the store raises (a full disk), and its Stale
    where a product was changed by somebody else in this very moment.
    """
    loaded, mistakes = [], list[Mistake]()
    for path in paths:
        try:
            loaded.append(load(path))
        except DocumentError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise DocumentError(mistakes)
    found = gather(loaded, store, environment)
    things = [(wanted, _thing_change(wanted, found)) for wanted in found.things]
    products = [(wanted, _product_change(wanted, found)) for wanted in found.products]
    changes = [change for _, change in things + products]
    if not dry_run and any(change.change != "unchanged" for change in changes):
        with store.together() as joined:
            _do(things, products, found, joined, who)
    return changes


def _thing_change(wanted: Described, found: Gathered) -> ObjectChange:
    before = found.thing(wanted.kind, wanted.slug)
    after: Owned = wanted.value
    changes = []
    for name in type(after).model_fields:
        if name == "slug":
            continue
        if name == "path" and isinstance(after, File):
            kept = found.account.files.get(wanted.slug)
            differs = kept is None or kept.sha256 != wanted.sha256 or kept.filename != Path(after.path).name
        else:
            old = getattr(before, name) if before else default_of(type(after), name)
            differs = getattr(after, name) != old
        if differs:
            old = getattr(before, name) if before else default_of(type(after), name)
            new = getattr(after, name)
            changes.append(Change(path=name, old=_plain(old), new=_plain(new, "another secret" if old else "a secret")))
    return _change(wanted, before is None, changes)


def _plain(value: Any, secret: str = "a secret") -> Any:
    """An answer as a plain value; of a secret only that there is one."""
    return secret if isinstance(value, SecretStr) else flow.as_plain(value)


def _product_change(wanted: Described, found: Gathered) -> ObjectChange:
    stored = found.stored.get(wanted.slug)
    before = stored.answers if stored else type(wanted.value)()
    change = _change(wanted, stored is None, changes_between(before, wanted.value))
    return change.model_copy(update={"warnings": tuple(_warnings(wanted.value, found))})


def _warnings(product: Product, found: Gathered) -> Iterator[Remark]:
    for question in flow.questions_of(Notifications):
        for problem in templates.left_over(product, question.name):
            yield Remark(field=problem.path, message=f"{question.ask.label}: {problem.message}.")
    for problem in templates.left_over_after_paying(product):
        yield Remark(field=problem.path, message=f"The page after paying: {problem.message}.")
    for target in rule_targets(product.automations):
        if target.membership not in found.slugs_of("membership"):
            told = (
                f"The rule cannot be kept: there is no membership {target.membership} yet. Create it before you sell."
            )
            yield Remark(field=target.field, message=told)


def _change(wanted: Described, is_new: bool, changes: list[Change]) -> ObjectChange:
    change = "created" if is_new else "updated" if changes else "unchanged"
    fields = tuple(each.path for each in changes)
    return ObjectChange.model_validate(
        {"object": wanted.kind, "name": wanted.slug, "change": change, "fields": fields, "details": tuple(changes)}
    )


Planned = list[tuple[Described, ObjectChange]]


def _do(things: Planned, products: Planned, found: Gathered, store: Store, who: str) -> None:
    """Everything, with a store whose methods are parts of one transaction."""
    in_order = sorted(things, key=lambda planned: ORDER.index(f"{planned[0].kind}s"))
    for wanted, change in in_order:
        if change.change != "unchanged":
            store.put(_first(wanted, found))
    account = store.account().account
    others = {slug: _as_other(stored.answers, stored.published) for slug, stored in found.stored.items()}
    new = []
    for wanted, change in products:
        if change.change == "created":
            waiting = without_bumps(wanted.value, {slug for slug in wanted.value.checkout.bumps if slug not in others})
            complete = progress.survey(waiting, References(wanted.slug, account, others)).is_complete
            new.append(NewProduct(wanted.slug, waiting, complete))
    created = {saved.slug: saved for saved in store.create_all(new, who)} if new else {}
    others |= {wanted.slug: _as_other(wanted.value, wanted.slug in found.stored and found.stored[wanted.slug].published)
               for wanted, _ in products}  # fmt: skip
    for wanted, change in products:
        if change.change == "unchanged":
            continue
        stored = created.get(wanted.slug) or found.stored[wanted.slug]
        if stored.answers == wanted.value:
            continue
        if changes := changes_between(stored.answers, wanted.value):
            complete = progress.survey(wanted.value, References(wanted.slug, account, others)).is_complete
            store.save(wanted.slug, stored.revision, wanted.value, changes, who, complete)
    for wanted, change in in_order:
        if (
            change.change == "updated"
            and isinstance(wanted.value, Membership)
            and _first(wanted, found) != wanted.value
        ):
            store.put(wanted.value)


def _first(wanted: Described, found: Gathered) -> Any:
    """A thing as it is stored first.

    A membership keeps the levels it loses until the products of the same documents have let go of them.
    """
    before = found.thing(wanted.kind, wanted.slug)
    if isinstance(before, File) and wanted.value.path == before.path:
        # The store copies a file whose path is another one. This one has other bytes at the same place.
        path = Path(before.path)
        return wanted.value.model_copy(update={"path": os.path.join(path.parent, ".", path.name)})
    if not isinstance(before, Membership):
        return wanted.value
    levels = dict.fromkeys((*wanted.value.levels, *found.let_go.get(wanted.slug, ())))
    return wanted.value.model_copy(update={"levels": tuple(levels)})


def _as_other(answers: Product, published: bool) -> OtherProduct:
    return OtherProduct(answers.general.name or "", answers.pricing.currency, published)
