"""What must happen to a buyer's access, mails and record when something happens in a sale's life (`spec` 4).

Planning decides and does nothing: the same product, event, holdings and time always give the same actions. Every event
has an answer for every access option, even "keep" with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from models.access import AccessKind
from models.automations import Then, When
from models.characters import quoted
from models.fulfillment import (
    Action,
    CallWebhook,
    Event,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    NoteOnBuyer,
    RevokeAccess,
    SendEmail,
    ShowPage,
)
from models.money import day_in_words
from models.post_sale import Afterwards, ThankYouMode
from models.pricing import Cancellation, PricePoint, is_in_installments, is_repeated
from models.text import is_web_address
from wizard import mails
from wizard.fulfillment.deliveries import Delivery, booked, delivery, link_ends, rule_level
from wizard.fulfillment.sold import Held, NotReady, Sold

__all__ = ["Held", "NotReady", "Sold", "plan"]

DAYS_BETWEEN_TRIES = 3
"""A failed payment is tried again on day 3, 6 and 9."""

TRIES = 4
"""After the last try the subscription is cancelled."""


def _unless_repeated(why: str) -> Callable[[PricePoint], str]:
    return lambda price: "" if is_repeated(price) else why


HAS_NO_PLACE: dict[Event, Callable[[PricePoint], str]] = {
    Event.RENEWAL: _unless_repeated("a one-time price is not renewed"),
    Event.SUBSCRIPTION_CANCELED: _unless_repeated("a one-time price has no subscription to cancel"),
    Event.PERIOD_ENDED: _unless_repeated("a one-time price has no subscription to cancel"),
    Event.INSTALLMENTS_COMPLETED: lambda price: (
        "" if is_in_installments(price) else "this price is not paid in installments"
    ),
}
"""Why nothing happens at an event that a price has no place for; empty where it has one."""


def plan(sold: Sold, event: Event, held: Held, now: datetime) -> list[Action]:
    """Say what an event leads to, in the order in which it is to be done.

    Raises NotReady when the product cannot be planned: nothing chosen, something gone, or a mail that lacks a variable
    it needs, or holds one that nothing fills.
    """
    _check_price(sold)
    return [_as_held(action, held, now) for action in _answer(sold, event, delivery(sold, now), held, now)]


def _as_held(action: Action, held: Held, now: datetime) -> Action:
    """Nothing is used of what is not held any more: access that is kept then cannot be tried."""
    if not isinstance(action, KeepAccess) or action.kept is None:
        return action
    if held.is_out:
        return action.model_copy(update={"kept": None, "reason": f"{action.reason}; the buyer holds nothing"})
    if held.has_run_out(now):
        return action.model_copy(update={"kept": None, "reason": f"{action.reason}; what was given has run out by now"})
    return action


def _answer(sold: Sold, event: Event, option: Delivery, held: Held, now: datetime) -> list[Action]:
    if event is Event.PURCHASE:
        return list(_purchase(sold, option, held, now))
    if event in HAS_NO_PLACE and (why := HAS_NO_PLACE[event](_price(sold))):
        return [option.keep(why)]
    if event is Event.RENEWAL:
        return [option.keep("the next period is paid")]
    if event is Event.PAYMENT_FAILED:
        return list(_payment_failed(sold, option, held, now))
    if event is Event.TRIAL_ENDED:
        if held.trial_paid:
            return [option.keep("the first full charge is paid")]
        return list(_payment_failed(sold, option, held, now))
    if event is Event.SUBSCRIPTION_CANCELED:
        return list(_canceled(sold, option))
    if event is Event.PERIOD_ENDED:
        if not held.cancellation_pending:
            return [option.keep("no cancellation is waiting for the end of the period")]
        return [*option.end("the paid period is over"), *_subscription_over(sold)]
    if event is Event.REFUND:
        ends = option.kind is AccessKind.NO_ACCESS_PAGE or sold.policy.on_refund is Afterwards.REVOKE
        access = option.end("refunded") if ends else [option.keep("your access policy keeps it after a refund")]
        return [*access, *_rules(sold, When.REFUNDS), *_mail(sold, "refund_full")]
    if event is Event.PARTIAL_REFUND:
        ends = option.kind is not AccessKind.NO_ACCESS_PAGE and sold.policy.on_partial_refund is Afterwards.REVOKE
        access = option.end("partly refunded") if ends else [option.keep("a partial refund does not end access")]
        return [*access, *_rules(sold, When.PARTIALLY_REFUNDS), *_mail(sold, "refund_partial")]
    if event is Event.CHARGEBACK:
        return option.end("the bank took the money back")
    if event is Event.INSTALLMENTS_COMPLETED:
        return [option.keep("everything is paid")]
    return _access_expired(option)


def _check_price(sold: Sold) -> None:
    prices = sold.answers.pricing.prices
    if not prices:
        raise NotReady("pricing.prices", "Add a price point: a sale needs one.")
    if not 1 <= sold.price <= len(prices):
        raise NotReady("pricing.prices", f"There is no price number {sold.price}; there are {len(prices)}.")


def _price(sold: Sold) -> PricePoint:
    return sold.answers.pricing.prices[sold.price - 1]


def _purchase(sold: Sold, option: Delivery, held: Held, now: datetime) -> Iterator[Action]:
    values = _charge(sold, now)
    if held.canceled_early and _price(sold).cancellation is Cancellation.INSTANT:
        yield from option.end("cancelled before the purchase arrived: nothing may be held")
        yield _page(sold)
        return
    granted = [*option.begin(held, now), *_granting_rules(sold)]
    yield from granted
    with_login = [action for action in granted if isinstance(action, GrantAccess) and action.create_login]
    if with_login and not held.login:
        names = {"membership_name": with_login[0].name}
        yield from _mail(sold, "membership_welcome", only_with="login_password", values=names)
    if isinstance(gives := option.gives, IssueDownloadLink):
        # As it is asked for: a backend that answers with more knows better.
        ends = link_ends(gives, now).astimezone(UTC)
        expires = f"{day_in_words(ends.date())}, {ends:%H:%M} UTC"
        known = {"file_name": gives.filename, "link_expires": expires}
        yield from _mail(sold, "download_link_to_buyer", only_with="download_link", values=known)
    yield from _mail(sold, "order_confirmation", values=values)
    noted = sold.answers.automations
    yield from (NoteOnBuyer(action="assign_tag", target=name) for name in noted.tags)
    yield from (NoteOnBuyer(action="subscribe_list", target=name) for name in noted.lists)
    yield from (NoteOnBuyer(action="subscribe_sequence", target=name) for name in noted.sequences)
    yield from (action for action in _rules(sold, When.BUYS) if not isinstance(action, GrantAccess))
    yield _page(sold)


def _charge(sold: Sold, now: datetime) -> dict[str, str]:
    values = mails.known_values(sold.answers, sold.price, now.date())
    if not values["charge"]:
        raise NotReady(f"pricing.prices.{sold.price - 1}", f"Price number {sold.price} is not complete.")
    return values


def _payment_failed(sold: Sold, option: Delivery, held: Held, now: datetime) -> Iterator[Action]:
    number = held.failed_payments + 1
    day = held.days_failing(now, otherwise=held.failed_payments * DAYS_BETWEEN_TRIES)
    grace = sold.policy.grace_days
    over = day >= grace
    if option.kind is AccessKind.NO_ACCESS_PAGE:
        yield option.keep("a failed payment takes nothing away here")
    elif not over:
        left = f"try {number} of {TRIES}" if number < TRIES else "the last try"
        yield option.keep(f"{left}, day {day}: access ends on day {grace}")
    elif option.kind is AccessKind.DOWNLOADABLE_FILE:
        yield option.keep("no new link is given; a link that was mailed runs out by itself", used=False)
    else:
        yield from option.end("the payment failed for good")
    if number >= TRIES or (over and option.kind is not AccessKind.NO_ACCESS_PAGE):
        yield from _subscription_over(sold)
    elif option.kind is AccessKind.HOSTED_MEMBERSHIP:
        yield from _mail(sold, "payment_failed")


def _canceled(sold: Sold, option: Delivery) -> Iterator[Action]:
    if _price(sold).cancellation is Cancellation.INSTANT:
        yield from option.end("cancelled, and your price ends access at once")
        yield from _subscription_over(sold)
    else:
        yield option.keep("paid until the end of the period; access ends then")
        yield from _rules(sold, When.REQUESTS_CANCELLATION)
        yield from _mail(sold, "cancellation_pending")


def _access_expired(option: Delivery) -> list[Action]:
    if option.kind is AccessKind.NO_ACCESS_PAGE:
        return [option.keep("there is no access that could expire")]
    return option.end("the time is over")


def _subscription_over(sold: Sold) -> Iterator[Action]:
    yield from _rules(sold, When.CANCELS_SUBSCRIPTION)
    yield from _mail(sold, "cancellation_confirmed")


def _mail(
    sold: Sold, name: str, *, only_with: str | None = None, values: dict[str, str] | None = None
) -> Iterator[Action]:
    """The notification, if it is switched on. Raises NotReady when it lacks a variable it needs, or holds one that
    nothing fills."""
    template = getattr(sold.answers.post_sale.notifications, name)
    if not template.enabled:
        return
    lacking = mails.missing(name, template)
    if lacking:
        raise NotReady(
            f"post_sale.notifications.{name}.body",
            f"The mail “{template.subject}” does not contain {mails.in_braces(lacking)}: buyers could do nothing with "
            "it.",
        )
    for problem in mails.left_over(sold.answers, name):
        raise NotReady(problem.path, f"The mail “{template.subject}” is not sent: {problem.message}.")
    yield SendEmail(
        target=name,
        subject=template.subject,
        body=template.body,
        values=_known(sold) | (values or {}),
        only_with=only_with,
    )


def _known(sold: Sold) -> dict[str, str]:
    general = sold.answers.general
    return {"product_name": general.buyers_name, "support_email": general.support_email or ""}


def _rules(sold: Sold, when: When) -> Iterator[Action]:
    for number, rule in enumerate(sold.answers.automations.rules):
        if rule.when is not when:
            continue
        field = f"automations.rules.{number}.target"
        if not rule.target:
            raise NotReady(field, "Say what the rule is about.")
        if rule.then in (Then.GRANT_MEMBERSHIP, Then.REVOKE_MEMBERSHIP):
            membership, level = rule_level(sold, rule.target, field)
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
            event = {
                When.BUYS: Event.PURCHASE,
                When.REFUNDS: Event.REFUND,
                When.PARTIALLY_REFUNDS: Event.PARTIAL_REFUND,
            }
            yield CallWebhook(target=rule.target, event=event.get(when, Event.SUBSCRIPTION_CANCELED))
        else:
            yield NoteOnBuyer.model_validate({"action": rule.then.value, "target": rule.target})


def _granting_rules(sold: Sold) -> Iterator[Action]:
    return (action for action in _rules(sold, When.BUYS) if isinstance(action, GrantAccess))


def _page(sold: Sold) -> ShowPage:
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
