"""YAML 1.2 text into plain values that remember their lines.

The tree is built from the parser's events, by a short list of what a document may hold: mappings, lists, text,
numbers, yes or no, nothing. There are no aliases, so nothing can grow; no tags, so nothing can be constructed; and no
recursion, so nothing nests deeper than `DEEPEST`.
"""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from models.characters import name_of, visible
from wizard.documents.mistakes import DocumentError, Mistake
from wizard.text_files import NotUtf8, decoded

MOST_BYTES = 2_000_000
"""The largest document that is read: its parser takes about 2.5 seconds for each million bytes."""

STANDARD, STANDARD_INPUT = "-", "standard input"
"""How standard input is written in place of a file, and what messages call it."""

DEEPEST = 16
"""How many levels a document may nest; the deepest one that means anything has 9."""

Scalar = str | int | float | bool | None

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no text may hold, not even as an escape such as `\\0` in quotes."""
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Node:
    """A value and where it stands. `written` is the text of a number as it was typed."""

    line: int
    value: Scalar | dict[str, Node] | list[Node] = None
    written: str = ""
    keys: dict[str, int] = field(default_factory=dict)
    """The line of each key of a mapping."""

    def plain(self) -> Any:
        """The value without its lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: Sequence[str]) -> Node:
        """The node at a path, or the nearest one on the way that is there."""
        here = self
        for part in path:
            inner = here.child(part)
            if inner is None:
                break
            here = inner
        return here

    def child(self, part: str) -> Node | None:
        """The node of a key or of a list's entry, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(part)
        if isinstance(self.value, list) and part.isdecimal() and int(part) < len(self.value):
            return self.value[int(part)]
        return None

    def line_of(self, path: Sequence[str]) -> int:
        """The line of the key at a path, or of the nearest one on the way that is there."""
        here, line = self, self.line
        for part in path:
            inner = here.child(part)
            if inner is None:
                break
            line = here.keys.get(part, inner.line)
            here = inner
        return line


def read(path: Path, shown: str) -> Node:
    """Read one document. `shown` is the file's name in messages. Raises DocumentError."""
    if str(path) == STANDARD:
        return parse(_standard_input(), shown)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise _mistake(shown, 1, "this is a folder; name the document in it")
        if not stat.S_ISREG(mode):
            # It may have no end, or nobody at the other one.
            raise _mistake(shown, 1, "this is a pipe or a device; write - and hand it over as standard input")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _mistake(shown, 1, "there is no such file") from None
    except DocumentError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _mistake(shown, 1, f"this cannot be read: {reason}") from None
    if len(content) > MOST_BYTES:
        raise _mistake(shown, 1, f"a document has at most {MOST_BYTES:,} bytes; split it into several files")
    return parse(content, shown)


def _standard_input() -> bytes:
    content = sys.stdin.buffer.read(MOST_BYTES + 1) if sys.stdin is not None else b""
    if len(content) > MOST_BYTES:
        raise _mistake(STANDARD_INPUT, 1, f"a document has at most {MOST_BYTES:,} bytes; split it into several files")
    return content


def parse(content: bytes, shown: str) -> Node:
    """Turn the bytes of a document into its tree. Raises DocumentError."""
    text = _decoded(content, shown)
    stack: list[_Open] = []
    root: Node | None = None
    for event in _events(text, shown):
        line = event.start_mark.line + 1
        if isinstance(event, events.DocumentStartEvent):
            if root is not None:
                raise _mistake(shown, line, "one file holds one document; move the part after --- into its own file")
            if event.version and tuple(event.version) != (1, 2):
                raise _mistake(shown, line, "documents are YAML 1.2; take the %YAML line out")
        elif isinstance(event, events.NodeEvent):
            _refuse_cleverness(event, shown, line)
            node = _node(event, shown, line)
            if stack:
                stack[-1].take(node, event, shown)
            else:
                root = node
            if isinstance(event, events.CollectionStartEvent):
                stack.append(_Open(node))
                if len(stack) > DEEPEST:
                    raise _mistake(shown, line, f"this nests deeper than {DEEPEST} levels")
        elif isinstance(event, events.CollectionEndEvent):
            stack.pop()
    if root is None or root.value is None:
        raise _mistake(shown, 1, "this document is empty; its first line is: wizard: 1")
    return root


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    node: Node
    key: str | None = None

    def take(self, node: Node, event: events.Event, shown: str) -> None:
        """Take in the next key or value."""
        inside = self.node.value
        if isinstance(inside, list):
            inside.append(node)
        elif isinstance(inside, dict):
            if self.key is not None:
                inside[self.key], self.key = node, None
                return
            if not isinstance(event, events.ScalarEvent):
                raise _mistake(shown, node.line, "a key is a word, not a list or a mapping; check the braces")
            key = event.value
            if key in inside:
                first = self.node.keys[key]
                raise _mistake(shown, node.line, f"{visible(key, '')!r} is there twice, first in line {first}")
            self.key, self.node.keys[key] = key, node.line


def _mistake(shown: str, line: int, message: str) -> DocumentError:
    return DocumentError([Mistake(shown, line, "", message)])


def _decoded(content: bytes, shown: str) -> str:
    try:
        text = decoded(content)
    except NotUtf8 as error:
        raise _mistake(shown, error.line, f"{error}; save the document as UTF-8") from None
    if _is_json(text):
        text = text.replace("\t", " ")  # which stands between values only, where YAML takes no tab
    for found in re.finditer(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]", text):
        line = text.count("\n", 0, found.start()) + 1
        raise _mistake(shown, line, f"there is an invisible {name_of(found[0])} here: take it out")
    return text


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _joined(text: str) -> str:
    """A text whose characters beyond the first 65,536 are one each: JSON writes them as two escapes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _events(text: str, shown: str) -> Iterator[events.Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _mistake(shown, line, _in_words(error, text.splitlines(), line)) from None
    except (YAMLError, ValueError) as error:
        raise _mistake(shown, 1, f"this is not YAML: {visible(str(error), '')[:200]}") from None


def _in_words(error: MarkedYAMLError, lines: list[str], line: int) -> str:
    problem = (error.problem or "").strip()
    around = lines[line - 1] if line <= len(lines) else ""
    if "\\t" in problem or around.lstrip(" ").startswith("\t"):
        return "there is a tab here; YAML indents with spaces"
    if "mapping values are not allowed" in problem:
        return "a colon stands where none may be: check the indentation, or put the text in quotes"
    if "undefined alias" in problem:
        return ALIAS
    return f"this is not YAML: {visible(problem, '')}"


ALIAS = "anchors (&) and aliases (*) are not read; write the value out, or put the text in quotes"


def _refuse_cleverness(event: events.NodeEvent, shown: str, line: int) -> None:
    if isinstance(event, events.AliasEvent) or event.anchor is not None:
        raise _mistake(shown, line, ALIAS)
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise _mistake(shown, line, f"tags such as {visible(str(tag), '')} are not read; put the text in quotes")


def _node(event: events.NodeEvent, shown: str, line: int) -> Node:
    if isinstance(event, events.MappingStartEvent):
        return Node(line, {})
    if isinstance(event, events.SequenceStartEvent):
        return Node(line, [])
    assert isinstance(event, events.ScalarEvent)
    text = _joined(event.value).replace("\r\n", "\n")  # as JSON from Windows writes it in a text
    if found := _CONTROL.search(text):
        raise _mistake(shown, line, f"there is an invisible {name_of(found[0])} here: take it out")
    if event.style is not None:
        return Node(line, text)
    if _NULL.fullmatch(text):
        return Node(line, None)
    if _BOOL.fullmatch(text):
        return Node(line, text.lower() == "true")
    if _INT.fullmatch(text):
        return Node(line, int(text, 0) if text.startswith(("0o", "0x")) else int(text), text)
    if _FLOAT.fullmatch(text):
        return Node(line, float(text.lower().replace(".inf", "inf").replace(".nan", "nan")), text)
    return Node(line, text)
