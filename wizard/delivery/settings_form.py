"""A backend's own settings as questions, made from what its manifest says: so every front end can ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Optional, get_origin

from pydantic import SecretStr, create_model
from pydantic.fields import FieldInfo

from models.ask import Answers, Ask, Kind, always, never
from models.choice import Choice
from wizard.delivery.backend import Manifest


def form_of(manifest: Manifest) -> type[Answers]:
    """The model of a form for a backend's settings. What must be set may be lacking in it while it is filled in."""
    fields: dict[str, Any] = {}
    for name, field in manifest.settings.model_fields.items():
        if field.exclude or not _has_control(field):
            continue  # what is asked elsewhere, a list, a table: it stands in config.toml alone
        declared = Ask(
            label=field.title or name.replace("_", " ").capitalize(),
            help=field.description or "",
            kind=_kind(field),
            required=always if field.is_required() else never,
        )
        answer: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        if field.is_required():
            fields[name] = (Annotated[Optional[answer], declared], None)  # noqa: UP045  # `|` takes no Annotated
        else:
            default = field.get_default(call_default_factory=True, validated_data={})
            fields[name] = (Annotated[answer, declared], default)
    made: type[Answers] = create_model(f"{manifest.name} settings", __base__=Answers, **fields)
    return made


def filled(manifest: Manifest, given: Mapping[str, Any]) -> Answers:
    """The form with what is set so far. What does not fit is left out, to be asked again."""
    form = form_of(manifest)
    good = {}
    for name, value in given.items():
        try:
            form.model_validate({name: value})
        except ValueError:
            continue
        good[name] = value
    return form.model_validate(good)


def as_settings(form: Answers) -> dict[str, Any]:
    """What was filled in, as it would be written in the table `[backends.NAME]`."""
    return {name: _plain(value) for name, value in form if value is not None}


def _has_control(field: FieldInfo) -> bool:
    parts = (field.annotation, *getattr(field.annotation, "__args__", ()))
    return field.alias is None and not any(get_origin(part) in (list, tuple, dict, set) for part in parts)


def _kind(field: FieldInfo) -> Kind:
    kinds = [part for part in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(part, type)]
    if any(issubclass(kind, SecretStr) for kind in kinds):
        return "secret"
    if any(issubclass(kind, bool) for kind in kinds):
        return "switch"
    if any(issubclass(kind, Choice) for kind in kinds):
        return "choice"
    return "number" if any(issubclass(kind, int) for kind in kinds) else "line"


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value.value if isinstance(value, Enum) else value
