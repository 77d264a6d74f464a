"""A page as a person sees it: its words, and its forms with what a browser would send of each."""

from __future__ import annotations

import pytest

from wizard.delivery.page import Page

SHOP = "https://shop.example.com/login"
LOGIN = '<input name="who"><input type="password" name="word"><button name="go" value="in">Log in</button>'


def page(source: str) -> Page:
    return Page(SHOP, 200, source)


def test_another_forms_fields_do_not_go_along_with_the_login():
    seen = page(f'<form action="/find"><input name="q" value="yoga"></form><form action="in">{LOGIN}</form>')

    assert seen.login is not None
    assert (seen.login.action, seen.login.user, seen.login.password) == ("https://shop.example.com/in", "who", "word")
    assert seen.login.fields == {"who": "", "word": "", "go": "in"}
    assert seen.form_with("q") is seen.forms[0]
    assert seen.form_with("q", "who") is None


@pytest.mark.parametrize(
    ("control", "sent"),
    [
        ('<input type="hidden" name="token" value="t1">', {"token": "t1"}),
        ('<input type="checkbox" name="stay" value="yes">', {}),
        ('<input type="checkbox" name="stay" value="yes" checked>', {"stay": "yes"}),
        ('<input type="radio" name="as" value="a"><input type="radio" name="as" value="b" checked>', {"as": "b"}),
        ('<select name="in"><option value="en">E<option value="de" selected>D</select>', {"in": "de"}),
        ('<input name="off" value="1" disabled>', {}),
        ('<input type="file" name="file"><input type="reset" name="no" value="x">', {}),
        ("<textarea name='more'>so much</textarea>", {"more": "so much"}),
        ('<input type="submit" name="one" value="1"><input type="submit" name="two" value="2">', {"go": "in"}),
    ],
)
def test_what_is_sent_of_a_form_is_what_a_browser_sends(control: str, sent: dict[str, str]):
    seen = page(f"<form>{LOGIN}{control}</form>").login

    assert seen is not None
    assert seen.fields == {"who": "", "word": "", "go": "in"} | sent


def test_a_password_that_nobody_is_asked_a_name_for_is_no_login():
    assert page('<form><input type="password" name="word"></form><form><input name="who"></form>').login is None


def test_what_is_not_shown_is_not_read():
    seen = page(
        "<title>T</title><style>p{}</style><p>Hello,<br>Ada</p><script>bye()</script><!-- bye --><p>&amp; on</p>"
    )

    assert (seen.text, seen.says) == ("Hello, Ada & on", "Hello, Ada")
    assert page("").says == "an empty page with status 200"
