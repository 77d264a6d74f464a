"""What a backend or a platform may answer with when it could not do something."""

from __future__ import annotations

from wizard.failure import OUTSIDE, Failure


class BackendError(Failure):
    """Something a backend could not do. The message says what happened and what to do about it."""

    status = OUTSIDE


class Retriable(BackendError):
    """It may work later. `after` is the number of seconds the other side asked to wait, if it said so. `place` is who
    did not answer, such as a host: a run that has given up on them once does not wait for them again."""

    def __init__(self, message: str, after: float | None = None, place: str = "") -> None:
        super().__init__(message)
        self.after = after
        self.place = place


class ActionRequired(BackendError):
    """A person must do something first: correct a key, verify a domain, name a `proof_url`."""


class Rejected(BackendError):
    """The request itself is wrong. `field` is the question it is about, such as `post_sale.access.…`."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def broken_backend(error: Exception) -> BackendError:
    """What an error means in a backend of others that is none of the contract."""
    return BackendError(f"The backend broke ({type(error).__name__}: {error}). Tell whoever made it.")


def not_usable(error: Exception) -> BackendError:
    """What an error means in a backend of ours, which is never what somebody made wrong: something came back that
    nobody here expected."""
    return BackendError(
        f"What came back could not be used ({type(error).__name__}: {error}). It was not tried again: look at the "
        "reply, and at who sent it."
    )
