"""Undoing the compression of a reply, a piece at a time: none is asked for, but some servers compress all the same.

Only what is known as a compression is one (RFC 9110, 8.4.1): servers also write `none` or `utf-8` there, and browsers
read such a reply as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE = 1 << 16
"""Bytes that are unpacked at once: a few thousand could swell to gigabytes."""

GZIP = frozenset({"gzip", "x-gzip"})
DEFLATE = "deflate"
UNREADABLE = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""Compressions that it would take another library for."""


class NotUnpacked(ValueError):
    """A reply that cannot be unpacked, and why."""


def codings_of(header: str) -> list[str]:
    """The compressions that a Content-Encoding header names."""
    named = (name.strip().lower() for name in header.split(","))
    return [name for name in named if name in GZIP | UNREADABLE or name == DEFLATE]


class Unpacking:
    """One reply on its way."""

    def __init__(self, codings: list[str]) -> None:
        """Raises NotUnpacked for a compression that is not known here, and for several at once."""
        if len(codings) > 1 or not UNREADABLE.isdisjoint(codings):
            raise NotUnpacked(f"is compressed ({', '.join(codings)}), although nothing was asked for but plain bytes")
        self._coding = codings[0] if codings else ""
        self._inflate: zlib._Decompress | None = None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What came, unpacked. Raises NotUnpacked."""
        if not self._coding:
            yield chunk
            return
        try:
            yield from self._unpacked(chunk)
        except zlib.error:
            raise NotUnpacked(
                f"is called compressed ({self._coding}) and is not: browsers show nothing of such a reply"
            ) from None

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            self._inflate = zlib.decompressobj(wbits=31 if self._coding in GZIP else _bits_of_deflate(data))
        while True:
            piece = self._inflate.decompress(data, PIECE)
            if piece:
                yield piece
            data = self._inflate.unconsumed_tail
            if self._inflate.eof:
                data = self._inflate.unused_data
                if self._coding not in GZIP or not data.startswith(b"\x1f"):
                    return
                self._inflate = zlib.decompressobj(wbits=31)  # another member (RFC 1952, 2.2)
            elif not data and len(piece) < PIECE:
                return

    @property
    def is_whole(self) -> bool:
        """Whether the end was reached, or nothing came at all."""
        return self._inflate is None or self._inflate.eof


def _bits_of_deflate(data: bytes) -> int:
    """How zlib calls what begins so: `deflate` is to have a head (RFC 1950), and from some servers has none."""
    has_head = data[0] & 0x0F == 8 and int.from_bytes(data[:2].ljust(2), "big") % 31 == 0
    return 15 if has_head else -15
