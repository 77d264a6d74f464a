"""A mail's text once more as HTML: the same words, with paragraphs, line breaks and links, and nothing else.

The text is never read as markup: whatever stands in it, also in the values that were filled in, is shown as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape

ADDRESS = re.compile(r"\bhttps?://[^\s<>\"]+", re.IGNORECASE)

AFTER_AN_ADDRESS = ".,;:!?'”’»*`…。、）」]}"
"""What ends the sentence or the words round it, not the address that stands at its end."""

# The colours are the reader's own, light or dark. Spaces count: a password may hold two in a row.
PAGE = (
    '<!doctype html>\n<html><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    "<title>{title}</title><style>body {{ font: 16px/1.5 sans-serif; max-width: 38em; margin: 1em auto; "
    "padding: 0 1em }} p {{ white-space: pre-wrap; overflow-wrap: anywhere }}</style></head>\n<body>\n{body}\n"
    "</body></html>\n"
)


def html_page(title: str, text: str) -> str:
    """A text as a page of its own. Empty lines part paragraphs; http and https addresses can be followed."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.strip("\n"))
    body = "\n".join(f'<p dir="auto">{"".join(_linked(paragraph))}</p>' for paragraph in paragraphs)
    return PAGE.format(title=escape(title), body=body)


def addresses(text: str) -> list[str]:
    """The addresses that a reader of the text can follow."""
    return [_without_what_follows(found[0]) for found in ADDRESS.finditer(text)]


def followed(page: str) -> list[str]:
    """The addresses that a page leads to."""
    return [unescape(found) for found in re.findall(r'<a href="([^"]*)"', page)]


def _linked(text: str) -> Iterator[str]:
    done = 0
    for found in ADDRESS.finditer(text):
        address = _without_what_follows(found[0])
        yield _lines(text[done : found.start()])
        # The words of a link are its address, so that no link leads elsewhere than it says.
        yield f'<a href="{escape(address)}">{escape(address)}</a>'
        done = found.start() + len(address)
    yield _lines(text[done:])


def _without_what_follows(address: str) -> str:
    """The address without the sentence's own marks: a closing bracket belongs to it only if it opens there as well."""
    while address[-1] in AFTER_AN_ADDRESS or (address[-1] == ")" and address.count("(") < address.count(")")):
        address = address[:-1]
    return address


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
