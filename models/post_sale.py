"""The step Post sale: what happens after a successful purchase."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from models.access import Access
from models.ask import Answers, Ask, ModuleHeading, always
from models.choice import Choice
from models.text import Line, Text, WebAddress


class ThankYouMode(Choice):
    """Where buyers land after paying [K]."""

    HOSTED = "hosted", "A page with your message"
    URL = "url", "A page of your own"


class ThankYou(Answers):
    """The Thank You page. A linked calendar's or webinar's confirmation takes its place [K]."""

    mode: Annotated[
        ThankYouMode,
        Ask("Thank You page", "Where buyers land after paying.", kind="choice"),
    ] = ThankYouMode.HOSTED
    message: Annotated[
        Text,
        Ask("Message", "What buyers read right after paying.", kind="text",
            when=lambda page: page.mode is ThankYouMode.HOSTED),
    ] = "Thank you for your order!"  # fmt: skip
    url: Annotated[
        WebAddress | None,
        Ask("Address", "The page on your own site.", placeholder="https://example.com/thanks", required=always,
            when=lambda page: page.mode is ThankYouMode.URL),
    ] = None  # fmt: skip


VARIABLE = re.compile(r"\{([a-z_]+)\}")


class Notification(Answers):
    """An e-mail template: on or off, and what it says, with variables such as `{buyer_name}`."""

    enabled: Annotated[bool, Ask("Send it", "Off, buyers do not get this mail.", kind="switch")] = True
    subject: Annotated[
        Annotated[Line, StringConstraints(max_length=150)],
        Ask("Subject", "One line, at most 150 characters.", required=always),
    ] = ""
    body: Annotated[
        Text,
        Ask(
            "Message",
            "Variables in curly braces are filled in.",
            kind="text",
            required=always,
        ),
    ] = ""

    @property
    def variables(self) -> set[str]:
        """The names of the variables that the subject and the body use."""
        return set(VARIABLE.findall(f"{self.subject}\n{self.body}"))


def _template(subject: str, body: str) -> Notification:
    return Notification(subject=subject, body=body)


class Notifications(Answers):
    """The mails to the buyer, with their standard wording [K: the names]. `wizard.mail.templates` says
    what each needs."""

    order_confirmation: Annotated[
        Notification,
        Ask("Order confirmation to buyer", "After every purchase.", kind="group"),
    ] = _template(
        "Your order: {product_name}",
        "Hello {buyer_name},\n\nthank you for your order of {product_name}.\n\n{charge}\n\n{instructions}",
    )
    membership_welcome: Annotated[
        Notification,
        Ask(
            "Membership welcome",
            "With the login, when access to a membership is given.",
            kind="group",
        ),
    ] = _template(
        "Your login for {membership_name}",
        "Hello {buyer_name},\n\nyou can log in now:\n\n{login_page}\n\nE-mail: {login_email}\n"
        "Password: {login_password}",
    )
    membership_password_resend: Annotated[
        Notification,
        Ask(
            "Membership password resend",
            "When a buyer has lost the login.",
            kind="group",
        ),
    ] = _template(
        "Your new password for {membership_name}",
        "Hello {buyer_name},\n\nhere is your login again:\n\n{login_page}\n\nE-mail: {login_email}\n"
        "Password: {login_password}",
    )
    download_link_to_buyer: Annotated[
        Notification,
        Ask("Download link to buyer", "With the secure link to the file.", kind="group"),
    ] = _template(
        "Your download: {product_name}",
        "Hello {buyer_name},\n\nhere is your file:\n\n{download_link}\n\nThe link works until {link_expires}.",
    )
    payment_failed: Annotated[
        Notification, Ask("Payment failed", "After each failed payment, for a hosted membership.", kind="group")
    ] = _template(
        "Your payment for {product_name} did not go through",
        "Hello {buyer_name},\n\nwe could not take your payment for {product_name}. We will try again in three days.",
    )
    cancellation_pending: Annotated[
        Notification,
        Ask(
            "Cancellation pending",
            "After a cancellation that waits for the period's end.",
            kind="group",
        ),
    ] = _template(
        "Your cancellation of {product_name}",
        "Hello {buyer_name},\n\nyour subscription ends with the period you have paid for. Until then nothing changes.",
    )
    cancellation_confirmed: Annotated[
        Notification,
        Ask("Cancellation confirmed", "When a subscription has ended.", kind="group"),
    ] = _template(
        "Your subscription to {product_name} has ended",
        "Hello {buyer_name},\n\nyour subscription to {product_name} has ended. You will not be charged again.",
    )
    refund_full: Annotated[
        Notification,
        Ask("Full refund", "After a refund of the whole amount.", kind="group"),
    ] = _template(
        "Your refund for {product_name}",
        "Hello {buyer_name},\n\nyour payment for {product_name} has been refunded.",
    )
    refund_partial: Annotated[Notification, Ask("Partial refund", "After a refund of a part.", kind="group")] = (
        _template(
            "A partial refund for {product_name}",
            "Hello {buyer_name},\n\na part of your payment for {product_name} has been refunded.",
        )
    )


class Afterwards(Choice):
    """What a refund does to access."""

    REVOKE = "revoke", "Take access away"
    KEEP = "keep", "Leave access as it is"


class Policy(Answers):
    """What ends access (`docs/spec.md` 4)."""

    on_refund: Annotated[
        Afterwards,
        Ask("Full refund", "The whole amount was given back.", kind="choice"),
    ] = Afterwards.REVOKE
    on_partial_refund: Annotated[
        Afterwards,
        Ask(
            "Partial refund",
            "A part of the amount was given back.",
            kind="choice",
        ),
    ] = Afterwards.KEEP
    grace_days: Annotated[
        Annotated[int, Field(ge=0, le=60)],
        Ask("Grace when unpaid", "From the first failed payment until access ends: 0 to 60 days. Payments are tried on "
            "day 0, 3, 6 and 9.", kind="number", unit="days"),
    ] = 9  # fmt: skip
    expires_after_days: Annotated[
        Annotated[int, Field(ge=1, le=36_500)] | None,
        Ask("Access ends after", "Days after the purchase until access ends in any case. Empty is never.",
            kind="number", unit="days", placeholder="never"),
    ] = None  # fmt: skip


class PostSale(Answers):
    """What happens after a successful purchase (`docs/spec.md` 2.4)."""

    access: Annotated[
        Access,
        ModuleHeading(
            "access",
            "Accessing your product contents",
            "How do buyers receive what they bought?",
            "Access",
        ),
    ] = Access()
    thank_you: Annotated[
        ThankYou,
        ModuleHeading("thank_you", "Thank You page", "Where do buyers land after paying?"),
    ] = ThankYou()
    notifications: Annotated[
        Notifications,
        ModuleHeading("notifications", "Notifications", "Which mails do buyers get?"),
    ] = Notifications()
    policy: Annotated[Policy, ModuleHeading("policy", "Access policy", "What ends access?")] = Policy()
