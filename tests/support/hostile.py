"""Texts that sellers paste, buyers send and platforms answer with, and that something in between might obey.

`TEXTS` is everything; `REFUSED` is what no name or text may hold; the rest is legitimate and must come back unchanged.
"""

from __future__ import annotations

MARKUP = {
    "a closing tag without an opening one": "[/nope]",
    "a click action": "[@click=app.quit()]press me[/]",
    "a style": "[bold red]sale[/bold red]",
    "a link": "[link=https://example.com]here[/link]",
    "an unclosed tag": "[bold",
    "a backslash before a tag": r"\[bold]",
    "html": "<script>alert(1)</script>",
    "a template": "{{ 7 * 7 }} {% raw %} ${HOME} {buyer_name.__class__}",
    "percent formats": "%s %d %n %(name)s",
    "sql": "Robert'); DROP TABLE product;--",
    "a formula": '=HYPERLINK("https://example.com")',
    "yaml": "- key: [value, *alias, &anchor, !!tag] # comment",
    "quotes": "\"double\" 'single' `back` \\ backslash",
    "a path": "../../etc/passwd",
    "an option": "--help",
}
"""Text that means something to somebody else. It is legitimate, and is shown as it is."""

SCRIPTS = {
    "right to left": "שלום עולם",
    "arabic": "مرحبا بالعالم",
    "hindi with a joiner": "क्‍ष",
    "thai": "สวัสดีชาวโลก",
    "japanese": "ヨガの朝",
    "a family emoji": "👨‍👩‍👧‍👦 family",
    "a flag": "🇯🇵 trip",
    "a skin tone": "👍🏽 good",
    "combining marks": "Zoe\u0308 cafe\u0301",
    "many combining marks": "Z" + "\u0301" * 40,
    "double width": "全角文字" * 10,
    "beyond the first plane": "𝔜𝔬𝔤𝔞",
}
"""Text in the world's scripts. It is legitimate."""

REFUSED = {
    "an escape sequence": "red \x1b[31malert\x1b[0m",
    "a terminal title": "\x1b]0;owned\x07",
    "a clipboard write": "\x1b]52;c;aGVsbG8=\x07",
    "a c1 control": "\x9b31m",
    "a null": "a\x00b",
    "a bell": "ding\x07",
    "a backspace": "abc\b\b\bxyz",
    "a delete": "a\x7fb",
    "a bidi override": "invoice\u202efdp.exe",
    "a bidi isolate": "\u2066a\u2069",
    "a left-to-right mark": "a\u200eb",
    "a zero-width space": "ad\u200bmin",
    "a word joiner": "ad\u2060min",
    "a byte order mark": "\ufeffname",
    "a soft hyphen": "pay\u00adpal",
    "a tag character": "a\U000e0041b",
    "a line separator": "a\u2028b",
    "a next line": "a\x85b",
}
"""What could act on a terminal or hide in a text. The models refuse it, by name and position."""

LONG = {"ten thousand characters": "x" * 10_000, "ten thousand wide ones": "界" * 10_000}
"""Longer than any field takes."""

LEGITIMATE = MARKUP | SCRIPTS
TEXTS = LEGITIMATE | REFUSED | LONG
