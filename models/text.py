"""Rules for text that people type, paste or write in documents.

Text is kept as it was written; what could act on a terminal or a mail, or make one text look like another, is
refused by name and position.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from models.characters import harmful, is_seen, name_of

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _refuse_harmful(text: str, allowed: str) -> str:
    for position, character in enumerate(text, start=1):
        if harmful(character, allowed):
            raise ValueError(f"character {position} is an invisible {name_of(character)}: take it out")
    return text


def as_written(text: str) -> str:
    """Refuse control and invisible characters and line breaks; trim, and leave the rest as it is. For what somebody
    else named, such as a role: of two ways to write an é only theirs is the name."""
    return _refuse_harmful(text.strip(" \t"), "")


def one_line(text: str) -> str:
    """As `as_written`, and normalised (Unicode NFC). For what people read."""
    return unicodedata.normalize("NFC", as_written(text))


def a_name(text: str) -> str:
    """As `one_line`, and refuse what nobody can see."""
    text = one_line(text)
    if text and not is_seen(text):
        raise ValueError("nothing of this name can be seen")
    return text


def several_lines(text: str) -> str:
    """As `one_line`, but line breaks and tabs are allowed."""
    return unicodedata.normalize("NFC", _refuse_harmful(text.replace("\r\n", "\n"), "\n\t").strip())


def slug_of(name: str, otherwise: str = "product") -> str:
    """Make a slug from a name: lower-case ASCII words with hyphens, at most 63 characters.

    Letters of other alphabets are written in ours, as in lodz, strasse or zoloto. A name without any letter or digit
    gives `otherwise`. Different names may give the same slug: whoever needs a key of its own numbers it.
    """
    plain = "".join(map(_latin, unicodedata.normalize("NFKC", name))).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].strip("-") or otherwise


def _latin(character: str) -> str:
    """A letter or digit in ASCII. Marks go with their letter, and all else is a gap between words."""
    if character.isascii():
        return character
    if unicodedata.category(character)[0] not in "LN":
        return "" if unicodedata.combining(character) else "-"
    from anyascii import anyascii

    return anyascii(character)


def is_slug(text: str) -> str:
    """Refuse what is not a slug, and propose one that is."""
    if not SLUG.fullmatch(text):
        raise ValueError(f"lower-case letters, digits and hyphens only, 63 at most, for example {slug_of(text)!r}")
    return text


def is_web_address(text: str) -> str:
    """Refuse what is not an absolute http or https address (RFC 3986) with a host and without credentials."""
    text = as_written(text)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        why = "its brackets do not match" if "IPv6" in str(error) else str(error)
        raise ValueError(f"this is not a web address: {why}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write the whole address, for example https://example.com/page")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave the user name and password out of the address")
    if any(map(str.isspace, text)):
        raise ValueError("an address has no spaces; write %20 instead")
    if not all(parts.hostname.removesuffix(".").split(".")):
        raise ValueError("the host of this address has a dot too many")
    return f"{parts.scheme}{text[len(parts.scheme) :]}"


def is_https_address(text: str) -> str:
    """As `is_web_address`, and only https."""
    text = is_web_address(text)
    if not text.startswith("https://"):
        raise ValueError("the address must start with https://")
    return text


def _is_latin(character: str) -> bool:
    return not character.isalpha() or unicodedata.name(character, "").startswith("LATIN")


BESIDE_LATIN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")
"""Scripts in which no letter looks like one of ours, and which are written with ours in one word (UTS 39, 5.2)."""


def _looks_like_latin(character: str) -> bool:
    return not _is_latin(character) and not unicodedata.name(character, "").startswith(BESIDE_LATIN)


def is_email(text: str) -> str:
    """Refuse what is not one e-mail address (RFC 5321 and 5322), or one that mixes look-alike alphabets."""
    # Imported here: the library reads its tables on import, and most starts never need them.
    from email_validator import EmailNotValidError, validate_email

    text = one_line(text)
    local, _, domain = text.rpartition("@")
    for part in (local, *domain.split(".")):
        if any(character.isascii() and character.isalpha() for character in part):
            stranger = next(filter(_looks_like_latin, part), None)
            if stranger is not None:
                raise ValueError(f"{stranger!r} ({name_of(stranger)}) looks like another letter: use one alphabet")
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        reason = str(error).replace("email address", "address").replace("email", "e-mail")
        raise ValueError(f"not an e-mail address: {reason[:1].lower()}{reason[1:]}") from None
    return found.normalized


LONGEST_LEVEL = 63
"""How many characters the name of a level may have, as a slug has at most."""


def is_level(text: str) -> str:
    """The name of a level: as a slug where that says the same (`Gold Plus` is `gold-plus`), else as it is written.

    So 初級, C++ and C# keep their names, and none is taken for another. A slash would look like `membership/level`, and
    levels are listed with commas between them.
    """
    text = one_line(text)
    if any(sign in text for sign in "/,"):
        raise ValueError("a level's name has no slash and no comma")
    if not text.strip(".") or not is_seen(text):
        raise ValueError("a level needs a name")
    if len(text) > LONGEST_LEVEL:
        raise ValueError(f"at most {LONGEST_LEVEL} characters; this has {len(text)}")
    return slug_of(text, otherwise=text) if _is_said_by_its_slug(text) else text


def _is_said_by_its_slug(text: str) -> bool:
    """Whether a slug loses nothing of a text but capitals, accents and the signs between words."""
    return all(
        _is_latin(character) and unicodedata.category(character)[0] in "LNMZP" and character not in "#%&*@"
        for character in text
    )


Line = Annotated[str, AfterValidator(one_line), StringConstraints(max_length=200)]
"""One line of text, at most 200 characters."""
ForeignName = Annotated[str, AfterValidator(as_written), StringConstraints(max_length=200)]
"""What a thing is called elsewhere, such as a role or a tier, as it is written there: at most 200 characters."""
Name = Annotated[str, AfterValidator(a_name), StringConstraints(min_length=1, max_length=120)]
"""A name: 1 to 120 characters."""
Text = Annotated[str, AfterValidator(several_lines), StringConstraints(max_length=5000)]
"""Several lines of text, at most 5,000 characters."""
Slug = Annotated[str, AfterValidator(is_slug), Field(json_schema_extra={"pattern": f"^{SLUG.pattern}$"})]
"""A stable identifier made from a name."""
LevelName = Annotated[
    str,
    AfterValidator(is_level),
    StringConstraints(min_length=1, max_length=LONGEST_LEVEL),
    Field(json_schema_extra={"pattern": "^[^/,]*$"}),
]
"""The name of a level, 63 characters at most."""
WebAddress = Annotated[str, AfterValidator(is_web_address), StringConstraints(max_length=2000)]
"""An http or https address."""
HttpsAddress = Annotated[str, AfterValidator(is_https_address), StringConstraints(max_length=2000)]
"""An https address."""
Email = Annotated[str, AfterValidator(is_email), StringConstraints(max_length=254)]
"""One e-mail address."""
