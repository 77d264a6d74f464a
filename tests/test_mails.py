"""The mails to the buyer: what they need, how they are filled, and what cannot be smuggled into them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fulfillment import Buyer
from models.post_sale import Notification, Notifications
from tests.shop import ACCOUNT, sold
from wizard import mails
from wizard.mails import Mail, NotOneLine, missing, render, sample_values, unknown

NAMES = list(Notifications.model_fields)


@pytest.mark.parametrize("name", NAMES)
def test_the_standard_wording_has_every_variable_it_needs_and_none_that_nothing_fills(name: str):
    template = getattr(Notifications(), name)

    assert missing(name, template) == set()
    assert unknown(name, template) == set()


def test_every_notification_is_known():
    assert set(NAMES) == set(mails.NEEDS)


def test_a_login_mail_without_the_password_lacks_it():
    template = Notification(subject="Welcome", body="{login_page} {login_email}")

    assert missing("membership_welcome", template) == {"login_password"}


def test_variables_are_filled_in_the_subject_and_in_the_body():
    template = Notification(subject="For {buyer_name}", body="Hello {buyer_name}: {charge}")

    assert render(template, {"buyer_name": "Ada", "charge": "$1.00 today"}) == Mail(
        "For Ada", "Hello Ada: $1.00 today\n"
    )


def test_a_variable_that_nobody_knows_stays_as_it_is_written():
    template = Notification(subject="Hi {nickname}", body="{nickname} {Nick} {} {a b}")

    assert render(template, {}) == Mail("Hi {nickname}", "{nickname} {Nick} {} {a b}\n")
    assert unknown("order_confirmation", template) == {"nickname"}


def test_a_name_that_looks_like_a_variable_is_not_filled_in():
    template = Notification(subject="Hello", body="{buyer_name}, {login_password}")

    filled = render(template, {"buyer_name": "{login_password}", "login_password": "sesame"})

    assert filled.body == "{login_password}, sesame\n"


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_no_kind_of_line_break_gets_into_a_subject(break_: str):
    with pytest.raises(NotOneLine, match="line break"):
        render(Notification(subject="Hi {buyer_name}", body="x"), {"buyer_name": f"Ada{break_}Bcc: eve@example.org"})
    with pytest.raises(NotOneLine):
        mails.one_line(f"ada@example.com{break_}", "the address")


@given(st.text(), st.text())
def test_whatever_a_buyer_is_called_the_subject_stays_one_line_without_control_characters(name: str, product: str):
    template = Notification(subject="{buyer_name} and {product_name}", body="{buyer_name}")
    try:
        mail = render(template, {"buyer_name": name, "product_name": product})
    except NotOneLine:
        return

    assert len(mail.subject.splitlines()) == 1
    assert not any(ord(character) < 32 or ord(character) == 127 for character in mail.subject)
    assert "\x1b" not in mail.body
    assert "\u202e" not in mail.body


def test_a_preview_shows_every_variable_as_this_buyer_would_read_it():
    product = sold("hosted").answers
    values = sample_values(product, ACCOUNT, Buyer(name="Bo"), date(2026, 11, 23))

    for name in NAMES:
        template = getattr(product.post_sale.notifications, name)
        assert "{" not in render(template, values).body, name
    welcome = render(product.post_sale.notifications.membership_welcome, values)
    assert welcome.subject == "Your login for Yoga Club"
    assert "Hello Bo," in welcome.body


def test_the_instructions_stand_in_the_order_confirmation():
    product = sold("physical").answers
    values = sample_values(product, ACCOUNT, Buyer(), date(2026, 11, 23))

    assert "It ships on Monday." in render(product.post_sale.notifications.order_confirmation, values).body


def test_a_preview_of_an_unpriced_product_leaves_the_charge_empty():
    product = sold("physical", price={"type": "recurring"}).answers

    assert sample_values(product, ACCOUNT, Buyer(), date(2026, 11, 23))["charge"] == ""
