"""What goes alongside access when something happens to a sale: mails, the seller's rules, and the page after paying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from models.account import Membership
from models.automations import Then, When
from models.characters import quoted
from models.events import Event
from models.fulfillment import Action, CallWebhook, GrantAccess, NoteOnBuyer, RevokeAccess, SendEmail, ShowPage
from models.post_sale import ThankYouMode
from models.text import is_web_address
from wizard.mail import templates
from wizard.sale.options.nothing import booked
from wizard.sale.sold import NotReady, Sale


def mail(
    sold: Sale, name: str, *, only_with: str | None = None, values: dict[str, str] | None = None
) -> Iterator[Action]:
    """The notification, if it is switched on. Raises NotReady when it lacks a variable it needs, or holds one that
    nothing fills."""
    template = getattr(sold.answers.post_sale.notifications, name)
    if not template.enabled:
        return
    lacking = templates.missing(name, template)
    if lacking:
        raise NotReady(
            f"post_sale.notifications.{name}.body",
            f"The mail “{template.subject}” does not contain {templates.in_braces(lacking)}: buyers could do nothing "
            "with it.",
        )
    for problem in templates.left_over(sold.answers, name):
        raise NotReady(problem.path, f"The mail “{template.subject}” is not sent: {problem.message}.")
    yield SendEmail(
        target=name,
        subject=template.subject,
        body=template.body,
        values=_known(sold) | (values or {}),
        only_with=only_with,
    )


def _known(sold: Sale) -> dict[str, str]:
    general = sold.answers.general
    return {"product_name": general.buyers_name, "support_email": general.support_email or ""}


def rules(sold: Sale, when: When) -> Iterator[Action]:
    """What the seller's rules ask for at that moment. Raises NotReady when one does not say what it is about."""
    for number, rule in enumerate(sold.answers.automations.rules):
        if rule.when is not when:
            continue
        field = f"automations.rules.{number}.target"
        if not rule.target:
            raise NotReady(field, "Say what the rule is about.")
        if rule.then in (Then.GRANT_MEMBERSHIP, Then.REVOKE_MEMBERSHIP):
            membership, level = _rule_level(sold, rule.target, field)
            names = {"target": membership.slug, "levels": (level,), "name": membership.name}
            protected = membership.password_protected
            if rule.then is Then.GRANT_MEMBERSHIP:
                yield GrantAccess.model_validate(names | {"password_protected": protected, "create_login": protected})
            else:
                yield RevokeAccess.model_validate(names | {"password_protected": protected})
        elif rule.then is Then.CALL_WEBHOOK:
            try:
                is_web_address(rule.target)
            except ValueError as error:
                raise NotReady(field, f"The webhook “{quoted(rule.target, 60)}” has no address: {error}.") from None
            yield CallWebhook(target=rule.target, event=_told_as(when))
        else:
            yield NoteOnBuyer.model_validate({"action": rule.then.value, "target": rule.target})


def _rule_level(sold: Sale, target: str, field: str) -> tuple[Membership, str]:
    """What a rule's `membership/level` means. Without a level it is the membership's only one."""
    slug, _, level = target.partition("/")
    membership = sold.membership(slug.strip(), field)
    level = level.strip() or (membership.levels[0] if len(membership.levels) == 1 else "")
    if level not in membership.levels:
        names = ", ".join(f"{membership.slug}/{name}" for name in membership.levels)
        raise NotReady(field, f"Write the membership and its level: {names}.")
    return membership, level


def _told_as(when: When) -> Event:
    """The event that a webhook of a rule is told of."""
    match when:
        case When.BUYS:
            return Event.PURCHASE
        case When.REFUNDS:
            return Event.REFUND
        case When.PARTIALLY_REFUNDS:
            return Event.PARTIAL_REFUND
        case When.CANCELS_SUBSCRIPTION | When.REQUESTS_CANCELLATION:
            return Event.SUBSCRIPTION_CANCELED
        case When.CANCELS_CANCELLATION_REQUEST:
            return Event.CANCELLATION_WITHDRAWN
        case _:
            assert_never(when)


def granting_rules(sold: Sale) -> Iterator[Action]:
    """The rules of a purchase that let the buyer in elsewhere: they belong to what is granted."""
    return (action for action in rules(sold, When.BUYS) if isinstance(action, GrantAccess))


def subscription_over(sold: Sale) -> Iterator[Action]:
    """What follows when nothing is charged any more."""
    yield from rules(sold, When.CANCELS_SUBSCRIPTION)
    yield from mail(sold, "cancellation_confirmed")


def charged(sold: Sale, now: datetime) -> dict[str, str]:
    """What mails about the purchase say of its price. Raises NotReady when the price is not complete."""
    values = templates.known_values(sold.answers, sold.price, now.date())
    if not values["charge"]:
        raise NotReady(f"pricing.prices.{sold.price - 1}", f"Price number {sold.price} is not complete.")
    return values


def page(sold: Sale) -> ShowPage:
    """The page after paying: the confirmation of what is booked, else the Thank You page. Raises NotReady."""
    linked = booked(sold)
    if linked is not None:
        kind, bookable = linked
        return ShowPage(target=bookable.slug, source=kind, text=bookable.confirmation, url=bookable.confirmation_url)
    page = sold.answers.post_sale.thank_you
    if page.mode is ThankYouMode.URL:
        if page.url is None:
            raise NotReady("post_sale.thank_you.url", "Write the address of your Thank You page.")
        return ShowPage(target=sold.product.slug, source="product", url=page.url)
    return ShowPage(target=sold.product.slug, source="product", text=page.message)
