"""Asking installed backends whether they work."""

from __future__ import annotations

from typing import Any

from wizard.cli.place import Place
from wizard.delivery import registry
from wizard.delivery.backend import Check, Manifest, Surroundings
from wizard.delivery.errors import BackendError
from wizard.delivery.secrecy import Secrets
from wizard.sale.words import DOES
from wizard.settings import BadSettings


async def checked(installed: registry.Installed, place: Place) -> dict[str, Any]:
    """What an installed backend is and whether it works, as `--json` prints it."""
    manifest = installed.manifest
    found = Check(False, installed.problem) if manifest is None else await _check(manifest, place)
    return {
        "backend": installed.name,
        "label": manifest.label if manifest else installed.name,
        "package": installed.package,
        "set_up": manifest is None or not manifest.needs_settings or manifest.name in place.settings.backends,
        "ok": found.ok,
        "detail": found.detail,
        "can": sorted(manifest.can) if manifest else [],
        "leaves_out": _left_out(manifest) if manifest else [],
        "settings": manifest.schema if manifest else {},
    }


def _left_out(manifest: Manifest) -> list[str]:
    """The actions and access options that it does not carry out. A clean-up is asked for whoever it is."""
    return [*(name for name in DOES if name not in {*manifest.can, "clean_up"}), *sorted(manifest.leaves_out)]


async def _check(manifest: Manifest, place: Place) -> Check:
    """Ask a backend whether it works. Whatever a third party's raises is an answer too."""
    import httpx

    from wizard.delivery.outgoing import hosts_of, outgoing

    settings, secrets = place.settings.backends.get(manifest.name, {}), Secrets()
    try:
        checked = registry.check_settings(manifest, settings)
    except BadSettings as error:
        return Check(False, str(error))
    secrets.learn_fields(checked)
    async with outgoing(hosts_of(checked), allow_private=place.settings.allow_private_hosts) as way_out:
        around = Surroundings(
            data_dir=place.settings.data_dir,
            client=way_out.client,
            browser=way_out.browser,
            settings=settings,
            secrets=secrets,
        )
        try:
            found = await registry.class_of(manifest)(around).check()
            return Check(found.ok, secrets.mask(found.detail))
        except (BackendError, registry.NoSuchBackend, httpx.HTTPError, OSError) as error:
            return Check(False, secrets.mask(str(error)))
        except Exception as error:
            return Check(False, secrets.mask(f"It broke ({type(error).__name__}: {error}). Tell whoever made it."))
