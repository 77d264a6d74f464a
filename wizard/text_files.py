"""Text files of people's own, read with care: whatever an editor puts in front of them or saves them as."""

from __future__ import annotations


class NotUtf8(ValueError):
    """Bytes that are not UTF-8. `line` is where, counted from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, without the mark that some editors put in front of it. Raises NotUtf8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotUtf8("this is not UTF-8 text", content.count(b"\n", 0, error.start) + 1) from None
