"""Choosing who carries out test-fires, and its settings: a form made from what the backend's manifest says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from screens.form_dialog import FormDialog, PlainSource
from screens.picker import Picker
from screens.widgets.controls import Item
from wizard.problems import Misfits, problems_of

if TYPE_CHECKING:
    from screens.host import Host


async def choose_backend(app: Host) -> bool:
    """Let the seller choose an installed backend; whether one was chosen. Call it in a worker."""
    from wizard.delivery.registry import check_settings, installed, manifest_of
    from wizard.settings import BadSettings

    given: dict[str, dict[str, Any]] = {name: dict(values) for name, values in app.settings.backends.items()}

    async def fetch(text: str) -> list[Item]:
        wanted = text.casefold()
        return [
            Item(each.name, each.manifest.label if each.manifest else each.name, each.problem or each.package)
            for each in await app.desk.do(installed)
            if wanted in each.name or (each.manifest and wanted in each.manifest.label.casefold())
        ]

    async def change(name: str) -> str | None:
        manifest = manifest_of(name)
        if not manifest.settings.model_fields:
            app.say(f"“{manifest.label}” has nothing to set.")
            return None
        values = await ask_settings(app, name, given.get(name, {}))
        if values is None:
            return None
        given[name] = values
        return name

    while chosen := await app.push_screen_wait(
        Picker("Who carries out test-fires?", fetch, chosen=app.settings.backend, change=change)
    ):
        try:
            check_settings(manifest_of(chosen), given.get(chosen, {}))
        except BadSettings:
            try:
                if await change(chosen) is None:
                    continue
            except Exception as error:  # a third party's form
                app.say(str(error), severity="error")
                continue
        except LookupError as error:  # it cannot be loaded
            app.say(str(error), severity="error")
            continue
        app.use_backend(chosen, given.get(chosen, {}))
        return True
    return False


async def ask_settings(app: Host, name: str, given: dict[str, Any]) -> dict[str, Any] | None:
    """Ask for a backend's settings; None when the seller leaves."""
    from pydantic import ValidationError

    from wizard.delivery.registry import manifest_of
    from wizard.delivery.settings_form import as_settings, filled

    manifest = manifest_of(name)

    async def accept(form: Any) -> dict[str, Any]:
        values = as_settings(form)
        try:
            manifest.settings.model_validate(values)
        except ValidationError as error:
            raise Misfits(problems_of(error)) from None
        return values

    dialog = FormDialog(f"Settings of {name}", filled(manifest, given), PlainSource(), accept)
    found: dict[str, Any] | None = await app.push_screen_wait(dialog)
    return found
