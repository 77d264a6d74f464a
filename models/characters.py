"""Characters that must not act: on the terminal or the mail that shows them, or by making one text look like another.

Apart from the rules of `models.text`, since what paints the screen needs it before anything heavy is imported.
"""

from __future__ import annotations

import re
import unicodedata

BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's invisible direction marks (UAX #9): they can make a text read differently from what it says."""

INVISIBLE = frozenset("\u200b\u2060\ufeff\u00ad\u2028\u2029\u180e") | {chr(c) for c in range(0xE0000, 0xE0080)}
"""Characters that take no room and mean nothing in a name: zero-width space, word joiner, soft hyphen, tags, …
The zero-width joiner and non-joiner are not among them: emoji, Persian and Hindi need them."""

LABELS = {
    "\x1b": "escape",
    "\x00": "null",
    "\x07": "bell",
    "\r": "carriage return",
    "\n": "line break",
    "\t": "tab",
}


def name_of(character: str) -> str:
    """Name a character that cannot be shown, as in `U+202E right-to-left override`."""
    name = LABELS.get(character) or unicodedata.name(character, "control character").lower()
    return f"U+{ord(character):04X} {name}"


def harmful(character: str, allowed: str = "") -> bool:
    """Say whether a character could act on what shows it, or hide in it."""
    if character in allowed:
        return False
    return unicodedata.category(character) in ("Cc", "Cs") or character in BIDI_CONTROLS or character in INVISIBLE


def visible(text: str, allowed: str = "\n") -> str:
    """Make foreign text safe to show: what would act or hide is replaced by its code in angle brackets."""
    return "".join(f"‹U+{ord(c):04X}›" if harmful(c, allowed) else c for c in text)


def quoted(text: str, most: int = 200) -> str:
    """What somebody else wrote, for a sentence: on one line, harmless, and not longer than `most` characters. It is
    never cut within a word of ASCII, which may be a secret: half of one is not recognised, and would be shown."""
    line = visible(" ".join(text.split()), "")
    if len(line) <= most:
        return line
    kept = line[:most]
    return f"{re.sub(r'[!-~]+$', '', kept) if '!' <= line[most] <= '~' else kept}".rstrip() + "…"
