"""The mails to the buyer: what they need, how they are filled, and what cannot be smuggled into them."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, date, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fulfillment import Buyer
from models.post_sale import Notification, Notifications
from models.product import Mode
from tests.support.hostile import TEXTS
from tests.support.shop import ACCOUNT, sold
from wizard.mail import mime, templates
from wizard.mail.templates import Mail, NotOneLine, left_over, missing, render, sample_values, unfilled
from wizard.preview import sights, wanted_mails

TODAY = date(2026, 11, 23)
NAMES = list(Notifications.model_fields)


@pytest.mark.parametrize("name", NAMES)
def test_the_standard_wording_has_every_variable_it_needs_and_none_that_nothing_fills(name: str):
    template = getattr(Notifications(), name)

    assert missing(name, template) == set()
    assert unfilled(name, template) == []


def test_every_notification_is_known():
    assert set(NAMES) == set(templates.NEEDS)


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
    found = [(each.question, each.written) for each in unfilled("order_confirmation", template)]
    assert found == [("subject", "{nickname}"), ("body", "{nickname}"), ("body", "{Nick}")]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{first_name}", "buyer_name"),
        ("{{buyer_name}}", "buyer_name"),
        ("{{{buyer_name}}}", "buyer_name"),
        ("{{buyer_name}", "buyer_name"),
        ("{Buyer_Name}", "buyer_name"),
        ("{ buyer_name }", "buyer_name"),
        ("{buyer name}", "buyer_name"),
        ("{buyer-name}", "buyer_name"),
        ("{buyer_nmae}", "buyer_name"),
        ("${charge}", "charge"),
        ("{{ contact.first_name | default: 'you' }}", "buyer_name"),
        ("%NAME%", "buyer_name"),
        ("%%email%%", "buyer_email"),
        ("[[name]]", "buyer_name"),
        ("[buyer_name]", "buyer_name"),
        ("<buyer_name>", "buyer_name"),
        ("<<First Name>>", "buyer_name"),
        ("*|FNAME|*", "buyer_name"),
        ("{product}", "product_name"),
        ("{nickname}", ""),
        ("{straße}", ""),
        ("{login_password}", ""),  # which another mail has
    ],
)
def test_what_nobody_fills_is_found_however_it_is_written_and_a_near_miss_names_what_was_meant(
    written: str, meant: str
):
    template = Notification(subject="Hello", body=f"Dear {written}, thank you.")

    [found] = unfilled("order_confirmation", template)

    assert (found.question, found.written, found.meant) == ("body", written, meant)
    way = f"write {{{meant}}}" if meant else "take it out"
    assert str(found) == f"buyers would read {written} as it stands; {way}"


@pytest.mark.parametrize(
    "text",
    [
        "{buyer_name} {product_name} {charge}",
        "{see {buyer_name}}",
        "{} {0} {a b} {see below} { }",
        "p { color: red }",
        "100% sure, 50%off%sale, 20 % of it, 5% today and 7% tomorrow",
        "https://example.com/%E2%82%AC%20abc%20?a=%ab%cd&q={buyer_email}",
        "[see below] [1] <b> <https://example.com/a_b> a < b_c > d",
        "[download_link](https://example.com) [[see below]] *|*",
    ],
)
def test_what_only_looks_a_little_like_a_variable_is_left_alone(text: str):
    assert unfilled("order_confirmation", Notification(subject="Hello", body=text)) == []


def test_a_mail_that_is_switched_off_has_nothing_left_over():
    template = {"subject": "Hi {nick}", "body": "x"}

    def found(**more: bool) -> list[str]:
        notifications = {"notifications": {"refund_full": template | more}}
        return [problem.path for problem in left_over(sold("hosted", post_sale=notifications).answers, "refund_full")]

    assert found() == ["post_sale.notifications.refund_full.subject"]
    assert found(enabled=False) == []


def test_a_support_address_that_is_not_there_is_nothing_to_read():
    mail = {"notifications": {"refund_full": {"subject": "Hi", "body": "Write to {support_email}."}}}
    product = sold("hosted", post_sale=mail).answers
    without = product.model_copy(update={"general": product.general.model_copy(update={"support_email": None})})

    [problem] = left_over(without, "refund_full")
    assert problem.path == "post_sale.notifications.refund_full.body"
    assert problem.message.startswith("buyers would read nothing for {support_email}; write your support address")
    assert left_over(product, "refund_full") == []


def test_the_preview_says_that_a_mail_with_something_left_over_is_not_sent():
    strange = {"notifications": {"order_confirmation": {"subject": "Hi", "body": "Dear {{first_name}}"}}}

    shown = {s.title: s.text for s in sights(sold("hosted", post_sale=strange).answers, ACCOUNT, Mode.DEMO, TODAY)}

    assert shown["Hi"] == "(not sent: buyers would read {{first_name}} as it stands; write {buyer_name})"


def test_a_name_that_looks_like_a_variable_is_not_filled_in():
    template = Notification(subject="Hello", body="{buyer_name}, {login_password}")

    filled = render(template, {"buyer_name": "{login_password}", "login_password": "sesame"})

    assert filled.body == "{login_password}, sesame\n"


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_no_kind_of_line_break_gets_into_a_subject(break_: str):
    with pytest.raises(NotOneLine, match="line break"):
        render(Notification(subject="Hi {buyer_name}", body="x"), {"buyer_name": f"Ada{break_}Bcc: eve@example.org"})
    with pytest.raises(NotOneLine):
        templates.one_line(f"ada@example.com{break_}", "the address")


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


def body_of(html: str) -> str:
    return html.partition("<body>\n")[2].partition("\n</body>")[0]


def test_the_html_part_says_the_same_in_paragraphs_with_line_breaks_and_links():
    mail = Mail("Hi", "Hello Ada,\n\nyour file (https://example.com/d/a_(1)?x=1&y=2):\nHTTP://example.com/.\n \nBye\n")

    assert body_of(mail.html) == (
        '<p dir="auto">Hello Ada,</p>\n'
        '<p dir="auto">your file (<a href="https://example.com/d/a_(1)?x=1&amp;y=2">'
        "https://example.com/d/a_(1)?x=1&amp;y=2</a>):<br>"
        '<a href="HTTP://example.com/">HTTP://example.com/</a>.</p>\n'
        '<p dir="auto">Bye</p>'
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('"><img src=x onerror=alert(1)>', "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("data:text/html,x ftp://example.com", "data:text/html,x ftp://example.com"),
        ("\x1b[31mred", "‹U+001B›[31mred"),
        ("exe.\u202efdp", "exe.‹U+202E›fdp"),
        ("{login_password} {0} %s", "{login_password} {0} %s"),
        ("&amp; &#60;", "&amp;amp; &amp;#60;"),
        (
            "https://example.com/'onclick='x",
            '<a href="https://example.com/&#x27;onclick=&#x27;x">https://example.com/&#x27;onclick=&#x27;x</a>',
        ),
    ],
)
def test_a_hostile_value_is_text_in_the_html_part(value: str, shown: str):
    mail = render(
        Notification(subject="Hi", body="Hello {buyer_name}"), {"buyer_name": value, "login_password": "sesame"}
    )

    assert body_of(mail.html) == f'<p dir="auto">Hello {shown}</p>'


def test_a_hostile_subject_is_text_in_the_html_part():
    assert "<title>&lt;/title&gt;&lt;script&gt; {body}</title>" in Mail("</title><script> {body}", "x").html


def test_a_mail_that_lacks_what_it_needs_is_named_in_the_preview():
    lacking = {"notifications": {"membership_welcome": {"subject": "Welcome", "body": "{login_page}"}}}
    product = sold("hosted", post_sale=lacking).answers

    shown = {sight.title: sight.text for sight in sights(product, ACCOUNT, Mode.DEMO, date(2026, 11, 23))}

    assert shown["Welcome"] == "(not sent: it lacks {login_email}, {login_password})"


def test_the_preview_shows_the_login_mail_that_a_rule_sends():
    gives = {"when": "buys", "then": "grant_membership", "target": "yoga-club/gold"}

    assert wanted_mails(sold("file", automations={"rules": [gives]}).answers, ACCOUNT) == [
        "membership_welcome",
        "download_link_to_buyer",
        "order_confirmation",
    ]
    assert "membership_welcome" not in wanted_mails(sold("file").answers, ACCOUNT)


class Seen(HTMLParser):
    """What a mail program makes of a page: its tags, their attributes, and the words of its body."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "br":
            self.words += "\n"

    def handle_data(self, data: str) -> None:
        if "body" in self.tags:
            self.words += data


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_whatever_a_value_holds_is_shown_in_the_html_part_and_never_obeyed(text: str):
    mail = render(Notification(subject="Hello", body="-{buyer_name}-"), {"buyer_name": text})
    seen = Seen(mail.html)

    assert seen.tags <= {"html", "head", "meta", "title", "style", "body", "p", "br", "a"}
    assert seen.attributes <= {"charset", "name", "content", "dir", "href"}
    assert seen.words.split() == mail.body.split()
    assert not any(character in mail.html for character in "\x1b\x00\u202e\u2066\x9b")


def test_the_html_part_has_no_colour_of_its_own_and_fetches_nothing():
    html = Mail("Hello", "Hello\n").html

    assert '<meta name="color-scheme" content="light dark">' in html
    assert not any(word in html for word in ("src=", "url(", "@import", "background", "color:", "<img", "<link"))


def message(subject: str, body: str = "x\n", **more: str) -> bytes:
    given = {"sender": "shop@example.com", "to": "ada@example.com", "message_id": "<1@x>"} | more
    return mime.message(Mail(subject, body), **given, at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC)).as_bytes()


@pytest.mark.parametrize("text", [*TEXTS.values(), "=?utf-8?q?obeyed?=", 'Eve <eve@example.org>, "Bob"'])
def test_a_message_brings_subject_name_and_both_parts_as_they_were(text: str):
    try:
        mail = render(Notification(subject="{buyer_name}", body="{buyer_name}"), {"buyer_name": text})
    except NotOneLine:
        mail = Mail("Hello", text)

    source = message(mail.subject, mail.body, name=mail.subject)

    received = email.message_from_bytes(source, policy=email.policy.default)
    assert received.defects == []
    assert received["Subject"] == mail.subject
    parts = [(part.get_content_type(), part.get_content()) for part in received.iter_parts()]
    assert parts == [("text/plain", mail.body), ("text/html", mail.html)]
    # Of two encoded words in a row, Python's newer reader of names keeps the space that RFC 2047 (6.2) leaves out.
    name, address = parseaddr(email.message_from_bytes(source)["To"])
    assert (str(make_header(decode_header(name))), address) == (mail.subject, "ada@example.com")
    assert all(len(line) <= 998 and line.isascii() for line in source.splitlines())


@pytest.mark.parametrize("field", ["sender", "to", "subject", "name"])
def test_no_line_break_gets_into_a_header(field: str):
    with pytest.raises(NotOneLine):
        message(**{"subject": "Hello", field: "Ada\nBcc: eve@example.org"})
