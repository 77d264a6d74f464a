"""Characters that must not act: on the terminal or the mail that shows them, or by making one text look like another.

Apart from the rules of `models.text`, since what paints the screen needs it before anything heavy is imported.
"""

from __future__ import annotations

import re
import unicodedata

BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's invisible direction marks (UAX #9): they can make a text read differently from what it says."""

INVISIBLE = frozenset("\u200b\u2060\ufeff\u00ad\u2028\u2029\u180e\u034f") | {
    chr(code)
    for start, end in ((0x2061, 0x2064), (0x206A, 0x206F), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F))
    for code in range(start, end + 1)
}
"""Characters that take no room and mean nothing in a name: zero-width space, word joiner, soft hyphen, tags, …
The zero-width joiner and non-joiner are not among them: emoji, Persian and Hindi need them."""

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u200c\u200d")
"""Characters that are letters or signs to Unicode and nothing to the eye: fillers, an empty Braille cell, joiners."""

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


def is_seen(text: str) -> bool:
    """Whether there is anything in a text for the eye."""
    return any(c not in BLANK and unicodedata.category(c) not in ("Zs", "Zl", "Zp", "Cf", "Cc", "Mn") for c in text)


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
