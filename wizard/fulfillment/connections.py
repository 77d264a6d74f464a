"""Checking a connection: whether the seller's account on another platform answers and lets us in."""

from __future__ import annotations

from pathlib import Path

from models.account import Connection, ConnectionKind
from wizard.fulfillment.backend import BackendError, Check


async def check_connection(connection: Connection, *, data_dir: Path) -> Check:
    """Make a real request that changes nothing, and say in a sentence what came back. Raises nothing."""
    if connection.kind is not ConnectionKind.SANDBOX:
        label = connection.kind.label
        return Check(False, f"This version cannot check a connection to {label} yet: nothing was sent.")
    from wizard.fulfillment.backend import Surroundings
    from wizard.fulfillment.backends.sandbox import SandboxBackend

    def no_network() -> None:
        raise RuntimeError("the sandbox is reached in process")

    try:
        backend = SandboxBackend(Surroundings(data_dir=data_dir, client=no_network))  # type: ignore[arg-type]
        return await backend.check_connection(connection)
    except BackendError as error:
        return Check(False, str(error))
    except OSError as error:
        return Check(False, f"The sandbox's folder {data_dir} cannot be used: {error.strerror or error}.")
