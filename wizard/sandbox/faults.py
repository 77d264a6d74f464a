"""The faults that the sandbox can be told to have, for drills: does a test-fire notice, and does it cope?"""

from __future__ import annotations

from models.ask import Choice
from models.fulfillment import Verdict

HEADER = "wizard-fault"
"""Names the fault on an order to the admin API, or on a signed request to a platform."""


class Fault(Choice):
    """A way in which the places that deliver go wrong. Its `hint` is what a drill with it shows."""

    SLOW = (
        "slow",
        "Slow",
        "Every answer takes two seconds: the run waits, and passes.",
    )
    DOWN_THEN_BACK = (
        "down_then_back",
        "Down, then back",
        "The first two tries of every order find nobody there: the run tries again, does nothing twice, and passes.",
    )
    RATE_LIMITED = (
        "rate_limited",
        "Rate limited",
        "The first try of every order is too much: the run waits as long as it is asked to, and passes.",
    )
    SERVER_ERROR = (
        "server_error",
        "Server error",
        "Nothing but “500 Internal Server Error” comes back: the run tries a few times, gives up, and fails.",
    )
    HTML = (
        "html",
        "A web page as the answer",
        "“200 OK” with a web page comes back, as from a proxy or a login wall: the run is not fooled, and fails.",
    )
    ERROR_INSIDE = (
        "error_inside",
        "An error inside “200 OK”",
        "“200 OK” comes back with an error inside, as from Kartra's own API: the run reads it, and fails.",
    )
    LIES_ABOUT_REVOKING = (
        "lies_about_revoking",
        "Lies about revoking",
        "“Taken away”, says the answer, and nothing was: after a refund the buyer still gets in, so the run fails.",
    )
    DROPS_CONNECTION = (
        "drops_connection",
        "Drops the connection",
        "Every order is carried out, but the reply breaks off midway: the run cannot be sure, and fails.",
    )

    @property
    def expected(self) -> Verdict:
        """How a test-fire must end under it, for `lies_about_revoking` one that takes access away."""
        copes = (Fault.SLOW, Fault.DOWN_THEN_BACK, Fault.RATE_LIMITED)
        return Verdict.PASSED if self in copes else Verdict.FAILED
