"""The installation's keys: they seal the secrets that stand in the database, and other secrets are derived from them.

The keys are Fernet keys (https://github.com/fernet/spec). They stand in the setting `secret_keys` or, where that is not
set, in a file `keys` in the data folder: made on first need, one key a line, the newest first. The first one seals,
each of them opens.

The file is read each time it is needed and never remembered. Whoever seals reads it inside the transaction that writes
the secret, and so never seals with a key that a rotation in another process has dropped.

**What is derived** must not change when keys are rotated: the password of a run that was interrupted yesterday is
asked for again today. It comes by HKDF (RFC 5869) from a root, and the root from the oldest key. A rotation that drops
this key leaves the root behind, in a line `root …` at the end of the file; no key can be computed from it, and it opens
nothing that a key has sealed. With keys from the settings the oldest is the last one that is named there: what is
derived stays the same for as long as that one stays last.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from wizard.settings import FERNET_KEY, Settings
from wizard.store.errors import KeysUnusable, Locked, NoKeyFits
from wizard.store.private import PRIVATE_FILE, failed_to_write, make_private_folder, write_private_file

FILE = "keys"
"""The file of the keys, inside the data folder."""

SALT = b"product-wizard"
"""Of the extraction of the root (RFC 5869, 2.2). It is no secret, and changing it changes all that is derived."""

ROOT = re.compile(rf"root ({FERNET_KEY.pattern})")

OTHERS = 0o077
"""What nobody but the owner of the file may be allowed."""

PATIENCE = 10.0
"""Seconds to wait for another process that is making or rotating the keys."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys as they stand somewhere at one moment, the newest first."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    kept_root: bytes | None = field(default=None, repr=False)
    """The root of what is derived, where a rotation has left it behind."""

    @property
    def root(self) -> bytes:
        """The root of what is derived: 32 bytes. There must be a key, or one must have been."""
        if self.kept_root is not None:
            return self.kept_root
        return hmac.digest(SALT, urlsafe_b64decode(self.keys[-1]), "sha256")

    @property
    def lines(self) -> bytes:
        """The file that holds them."""
        root = [] if self.kept_root is None else [f"root {urlsafe_b64encode(self.kept_root).decode()}"]
        return "".join(f"{line}\n" for line in (*self.keys, *root)).encode()


class Keys:
    """Where the keys of an installation stand, and what can be done with them. Safe to use from any thread."""

    def __init__(self, folder: Path, given: SecretStr | None = None) -> None:
        """`given` are keys from the settings, in place of the file in this folder."""
        self._given = given
        self.path = folder / FILE
        """Where the file is, or would be."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The keys that the settings name."""
        return cls(settings.data_dir, settings.secret_keys)

    @property
    def are_given(self) -> bool:
        """Whether they come from the settings: then no file is read or written."""
        return self._given is not None

    @property
    def place(self) -> str:
        """Where they stand, in words."""
        return "the setting secret_keys (WIZARD_SECRET_KEYS)" if self.are_given else f"the file {self.path}"

    def fingerprints(self) -> tuple[str, ...]:
        """What tells the keys apart and gives nothing away, the newest first; none when there is no file yet.

        Raises `KeysUnusable`.
        """
        return tuple(hashlib.sha256(key.encode()).hexdigest()[:16] for key in self._read().keys)

    def seal(self, plain: bytes) -> bytes:
        """A Fernet token that only these keys open. Raises `KeysUnusable`."""
        from cryptography.fernet import Fernet

        return Fernet(self._at_hand().keys[0]).encrypt(plain)

    def unseal(self, token: bytes) -> bytes:
        """What was sealed. Raises `NoKeyFits`, `KeysUnusable`."""
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        if keys := self._read().keys:
            try:
                return MultiFernet([Fernet(key) for key in keys]).decrypt(token)
            except InvalidToken:
                pass
        raise NoKeyFits(f"no key in {self.place} opens it. Write it again, or bring the key back.")

    def derived(self, *purpose: str) -> bytes:
        """32 secret bytes for this purpose, the same whenever it is asked for, also after a rotation.

        Raises `KeysUnusable`.
        """
        # HKDF-Expand (RFC 5869, 2.3) to one block. As JSON no two purposes look the same.
        return hmac.digest(self._at_hand().root, json.dumps(purpose).encode() + b"\x01", "sha256")

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """A rotation, in whose body everything is sealed anew, on disk and for good.

        A new key stands first before the body begins, and the old ones are dropped when it has ended well: whenever
        the process ends, the keys in the file open everything. Keys from the settings stay what they are.
        Raises `KeysUnusable`, `Locked`.
        """
        if self.are_given:
            yield
            return
        with self._alone():
            old = self._read()
            root = old.root if old.keys else None
            new = (_new_key(),)
            self._write(Ring((*new, *old.keys), root))
            yield
            self._write(Ring(new, root))

    # --- the file -------------------------------------------------------------------------------------------------

    def _at_hand(self) -> Ring:
        """At least one key: a first one is made where there is none."""
        found = self._read()
        if found.keys:
            return found
        make_private_folder(self.path.parent)
        with self._alone():
            found = self._read()  # another process may have been quicker
            if not found.keys:
                found = Ring((_new_key(),))
                self._write(found)
        return found

    def _read(self) -> Ring:
        if self._given is not None:
            return Ring(tuple(key.strip() for key in self._given.get_secret_value().split(",")))
        try:
            with self.path.open("rb") as file:
                self._refuse_if_others_may_read(os.fstat(file.fileno()).st_mode)
                content = file.read()
        except FileNotFoundError:
            return Ring()
        except OSError as error:
            raise KeysUnusable(f"{self.path} cannot be read: {error.strerror}. Secrets are sealed with it.") from None
        return self._parsed(content)

    def _refuse_if_others_may_read(self, mode: int) -> None:
        if os.name == "posix" and stat.S_IMODE(mode) & OTHERS:
            raise KeysUnusable(f"{self.path} holds keys and is open to others. Make it yours: chmod 600 {self.path}")

    def _parsed(self, content: bytes) -> Ring:
        lines = [line.strip() for line in content.decode("ascii", "replace").splitlines()]
        root = ROOT.fullmatch(lines[-1]) if lines else None
        keys = lines[:-1] if root else lines
        wrong = [number for number, key in enumerate(keys, start=1) if not FERNET_KEY.fullmatch(key)]
        if wrong or not keys:
            where = f"line {wrong[0]} is no key" if wrong else "there is no key in it"
            raise KeysUnusable(
                f"{self.path} is damaged: {where}. Put a copy of it back, or move it away and write your secrets again."
            )
        return Ring(tuple(keys), urlsafe_b64decode(root[1]) if root else None)

    def _write(self, ring: Ring) -> None:
        try:
            write_private_file(self.path, ring.lines)
        except OSError as error:
            raise failed_to_write(error, self.path) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other process makes or rotates the keys."""
        from filelock import FileLock, Timeout

        try:
            lock = FileLock(self.path.with_name(f"{FILE}.lock"), mode=PRIVATE_FILE, thread_local=False)
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise Locked(f"Another process is changing {self.path}. Try again when it is done.") from None
        except OSError as error:
            raise failed_to_write(error, self.path) from error
        try:
            yield
        finally:
            lock.release()


def _new_key() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()
