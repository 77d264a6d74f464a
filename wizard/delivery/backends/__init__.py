"""The backends that are shipped, as manifests. The rest of one is loaded only when it is chosen
(see `wizard.delivery.registry`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from models.signing import PREFIX, SHORTEST, keys_of
from models.text import WebAddress, is_web_address
from wizard.delivery.backend import BackendSettings, Manifest
from wizard.sandbox.faults import DRILLS, Fault


def _drill(fault: Fault) -> Fault:
    if not fault.is_drill:
        raise ValueError(f"the sandbox does not play this; there are {', '.join(DRILLS)}")
    return fault


class SandboxSettings(BackendSettings):
    """What can be set for the sandbox."""

    fault: Annotated[Fault, AfterValidator(_drill)] | None = Field(
        default=None, exclude=True, description="The fault of a drill: every run is one."
    )
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
    backend="wizard.delivery.backends.sandbox:SandboxBackend",
    settings=SandboxSettings,
)


def _addresses(text: str) -> str:
    return " ".join(is_web_address(word) for word in text.split())


def _signing(secret: SecretStr) -> SecretStr:
    """Refuse what is no secret of Standard Webhooks, and one that is too short."""
    if any(len(key) < SHORTEST for key in keys_of(secret.get_secret_value())):
        raise ValueError(f"a signing secret is {PREFIX} and then at least {SHORTEST} bytes in base64")
    return secret


class WebhookSettings(BackendSettings):
    """What can be set for the endpoint that takes every action as a signed request (Standard Webhooks)."""

    url: WebAddress = Field(title="Address", description="Signed requests go there, by POST.")
    secret: Annotated[SecretStr, AfterValidator(_signing)] = Field(
        title="Signing secret", description="whsec_ and base64; two of them while changing."
    )
    proof_url: WebAddress | None = Field(
        default=None, title="Proof page", description="For members alone; or your replies name them."
    )
    more_addresses: Annotated[str, AfterValidator(_addresses)] = Field(
        default="", title="More addresses", description="Other sites your replies may lead a buyer to."
    )


WEBHOOK = Manifest(
    name="webhook",
    label="Webhook: signed requests to your own site",
    can=SANDBOX.can,
    backend="wizard.delivery.backends.webhook:WebhookBackend",
    settings=WebhookSettings,
    is_real=True,
)
