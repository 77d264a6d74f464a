"""Memory that is given back: what was needed once must not stay for as long as the app is open.

A password's hash takes 19 MB for a moment. The C library gets the first such block straight from the system; when it
is given back, it takes large blocks for usual and carves the next ones out of the heap of a thread, which never
shrinks again. With a threshold that is said it goes on asking the system.
"""

from __future__ import annotations

import sys
from contextlib import suppress

MMAP_THRESHOLD, ARENA_MAX = -3, -8
"""The names of two settings in glibc's malloc.h."""

LARGE = 1 << 18
"""Bytes from which a block comes from the system, and goes back to it."""

ARENAS = 2
"""Heaps: every new thread would get one of its own, and a test-fire is a new thread."""


def give_back_what_is_large() -> None:
    """Tell the C library, where it can be told."""
    if sys.platform != "linux":
        return
    from ctypes import CDLL

    with suppress(OSError, AttributeError):  # another C library
        tell = CDLL(None).mallopt
        tell(MMAP_THRESHOLD, LARGE)
        tell(ARENA_MAX, ARENAS)
