"""A page as a person sees it: its words, its links, and its forms with what a browser would send of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from models.characters import quoted

NOT_SHOWN = ("script", "style", "title")

WRITTEN = ("text", "email")
"""The types of a field that takes a name."""


NOT_SENT_EMPTY = ("checkbox", "radio", "submit", "button", "image", "reset", "file")
"""The types of a field that is sent where it is chosen or pressed, and not otherwise."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form: where it is sent, and what of it is sent where nobody fills anything in (HTML, 4.10.22.4)."""

    action: str
    fields: dict[str, str]
    user: str = ""
    password: str = ""
    """What the two fields are called in which somebody logs in; empty where it has none."""


@dataclass
class Page:
    """What came back for an address, read once. Whatever it holds is its sender's, and breaks nothing here."""

    url: str
    status: int
    source: str
    location: str | None = None
    """Where the page wanted to send the buyer, when that is another site."""
    cached: str = ""
    """What its headers say of a cache that may have answered."""
    gate: str = ""
    """How a web server in front of the site asks for a password of its own."""
    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    text: str = ""
    """What is shown, with single spaces."""
    _first: str = ""
    """The first paragraph."""

    def __post_init__(self) -> None:
        # By libxml2, which is done with thousands of tags without an end in no time, where the standard library's
        # parser takes hours (CPython 135462).
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
        try:
            root: Any = html.document_fromstring(self.source.encode("utf-8", "replace"), parser=parser)
        except (etree.ParserError, etree.XMLSyntaxError):  # nothing is on it
            return
        etree.strip_elements(root, *NOT_SHOWN, with_tail=False)
        for broken in root.iter("br"):
            broken.tail = f"\n{broken.tail or ''}"
        self.text = " ".join(" ".join(root.itertext()).split())
        paragraph = next(root.iter("p"), None)
        self._first = "" if paragraph is None else " ".join("".join(paragraph.itertext()).split())
        for link in root.iter("a"):
            with suppress(ValueError):  # a link that leads nowhere
                self.links += [urljoin(self.url, link.get("href"))] if link.get("href") is not None else []
        self.forms = [self._form(form) for form in root.iter("form")]

    def _form(self, form: Any) -> Form:
        fields = dict(form.form_values())
        empty = (each.get("name") for each in form.iter("input", "textarea") if _is_written(each))
        fields = {name: fields.get(name) or "" for name in (*fields, *filter(None, empty))}
        button = next((each for each in form.iter("input", "button") if _submits(each) and each.get("name")), None)
        if button is not None:
            fields[button.get("name")] = button.get("value") or ""
        user = password = ""
        for each in form.iter("input"):
            kind, name = (each.get("type") or "text").lower(), each.get("name")
            if kind in WRITTEN and name:
                user = name
            elif kind == "password" and name and user:
                password = name
                break
        try:
            action = urljoin(self.url, form.get("action") or self.url)
        except ValueError:  # whoever opens it says that it is none
            action = form.get("action")
        return Form(action, fields, user if password else "", password)

    @property
    def login(self) -> Form | None:
        """The form by which somebody with a password can log in on this page."""
        return next((form for form in self.forms if form.password), None)

    def form_with(self, *names: str) -> Form | None:
        """The form that has all of these fields."""
        return next((form for form in self.forms if form.fields.keys() >= set(names)), None)

    def shows(self, text: str) -> bool:
        """Whether a text can be read on the page, however it is broken into lines."""
        return " ".join(text.split()) in self.text

    @property
    def says(self) -> str:
        """The page's first words, short: for a sentence about why something did not work."""
        return quoted(self._first or self.text) or f"an empty page with status {self.status}"


def _is_written(element: Any) -> bool:
    """Whether a field is sent although nothing stands in it."""
    return element.get("disabled") is None and (element.get("type") or "text").lower() not in NOT_SENT_EMPTY


def _submits(element: Any) -> bool:
    kind = (element.get("type") or ("submit" if element.tag == "button" else "text")).lower()
    return kind == "submit" and element.get("disabled") is None
