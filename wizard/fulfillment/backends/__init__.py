"""The backends that are shipped, as manifests. The rest of one is loaded only when it is chosen
(see `wizard.fulfillment.registry`)."""

from __future__ import annotations

from pydantic import Field

from wizard.fulfillment.backend import BackendSettings, Manifest
from wizard.sandbox.faults import Fault


class SandboxSettings(BackendSettings):
    """What can be set for the sandbox."""

    fault: Fault | None = Field(default=None, exclude=True, description="The fault of a drill: every run is one.")
    # Excluded from forms: the page of a test-fire has a box for it, and marks the run as a drill.


SANDBOX = Manifest(
    name="sandbox",
    label="Sandbox: a buyer's world on this machine",
    can=frozenset(
        {
            "grant_access",
            "revoke_access",
            "issue_download_link",
            "revoke_download_link",
            "register_attendee",
            "cancel_registration",
            "send_email",
            "show_page",
            "assign_tag",
            "unassign_tag",
            "subscribe_list",
            "subscribe_sequence",
            "call_webhook",
            "keep_access",
            "try_link",
            "clean_up",
        }
    ),
    backend="wizard.fulfillment.backends.sandbox:SandboxBackend",
    settings=SandboxSettings,
)
