"""The one place where secrets become the bytes that are stored, and again secrets.

They are kept as they are, in a database that only its owner may read. Encryption at rest belongs here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import SecretStr


def seal(secrets: Mapping[str, SecretStr]) -> bytes:
    """What is stored for secrets, by the names of their fields."""
    plain = {name: secret.get_secret_value() for name, secret in secrets.items()}
    return json.dumps(plain, sort_keys=True).encode()


def unseal(stored: bytes) -> dict[str, SecretStr]:
    """The secrets that were stored."""
    return {name: SecretStr(plain) for name, plain in json.loads(stored).items()}
