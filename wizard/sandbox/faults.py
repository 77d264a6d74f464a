"""The ways in which a place that delivers goes wrong: one list, for drills and for the tests of every way out.

The sandbox can be told to have those that are drills: does a test-fire notice, and does it cope? The others need a port
or a cache of their own, or would show nothing new: the tests act them out, by the same code (`wizard.sandbox.drills`).
"""

from __future__ import annotations

from models.choice import Choice
from models.events import Verdict

HEADER = "wizard-fault"
"""Names the fault on an order to the admin API, or on a signed request to a platform."""


class Fault(Choice):
    """A way in which a place that delivers goes wrong. Its `hint` is what a drill with it shows, and is empty where it
    is none; `more` is what it does."""

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

    SILENCE = "silence", "Silence", "", "Nothing ever comes back."
    SLOW_DRIP = "slow_drip", "A slow drip", "", "A reply comes byte by byte, without an end."
    HUGE = "huge", "Without end", "", "100 MB come back."
    BYTE_ORDER_MARK = "byte_order_mark", "A byte order mark", "", "The good reply comes behind a byte order mark."
    WRONG_TYPE = "wrong_type", "A wrong type", "", "The good reply is called a picture."
    UNKNOWN_CHARSET = "unknown_charset", "An unknown charset", "", "The good reply is said to be written in rot13."
    NOT_COMPRESSED = "not_compressed", "Called compressed", "", "The good reply has the Content-Encoding “none”."
    COMPRESSED = "compressed", "Compressed", "", "The good reply comes compressed, although nobody asked for it."
    BROKEN_COMPRESSION = "broken_compression", "Badly compressed", "", "What is called compressed is not."
    REDIRECT_CIRCLE = "redirect_circle", "Redirects in a circle", "", "Each address sends on to the same one."
    REDIRECT_ELSEWHERE = "redirect_elsewhere", "Redirects elsewhere", "", "Everybody is sent on to another host."
    GATE = "gate", "A gate", "", "Basic authentication stands in front of the site (401)."
    UNAUTHORIZED = "unauthorized", "A refused key", "", "401, from the application itself."
    FORBIDDEN = "forbidden", "Forbidden", "", "403."
    NOT_FOUND = "not_found", "Not found", "", "404."
    TIMED_OUT = "timed_out", "Timed out", "", "408."
    GONE = "gone", "Gone", "", "410."
    TOO_EARLY = "too_early", "Too early", "", "425."
    TOO_MANY = "too_many", "Too many", "", "429, without a word of when to come back."
    COME_BACK_LATER = "come_back_later", "Come back later", "", "429, and to wait for an hour."
    BAD_GATEWAY = "bad_gateway", "Bad gateway", "", "502."
    UNAVAILABLE = "unavailable", "Unavailable", "", "503."
    GATEWAY_TIMEOUT = "gateway_timeout", "Gateway timeout", "", "504."
    WRONG_CERTIFICATE = "wrong_certificate", "A wrong certificate", "", "Its certificate is for another name."
    EXPIRED_CERTIFICATE = "expired_certificate", "An expired certificate", "", "Its certificate has expired."
    UNKNOWN_AUTHORITY = "unknown_authority", "An unknown authority", "", "Nobody knows who signed its certificate."
    PLAIN_FOR_TLS = "plain_for_tls", "Plain for TLS", "", "Its address is https, and it speaks plain HTTP."
    TLS_FOR_PLAIN = "tls_for_plain", "TLS for plain", "", "Its address is http, and it speaks TLS."
    CACHE = "cache", "A cache", "", "A cache in front keeps what one visitor was shown and shows it to all."

    @property
    def is_drill(self) -> bool:
        """Whether the sandbox plays it."""
        return bool(self.hint)

    @property
    def expected(self) -> Verdict:
        """How a drill with it must end, for `lies_about_revoking` one that takes access away."""
        copes = (Fault.SLOW, Fault.DOWN_THEN_BACK, Fault.RATE_LIMITED)
        return Verdict.PASSED if self in copes else Verdict.FAILED


DRILLS = tuple(fault for fault in Fault if fault.is_drill)
"""Those that the sandbox can be told to have."""

AT_THE_PORT = frozenset(
    {
        Fault.WRONG_CERTIFICATE,
        Fault.EXPIRED_CERTIFICATE,
        Fault.UNKNOWN_AUTHORITY,
        Fault.PLAIN_FOR_TLS,
        Fault.TLS_FOR_PLAIN,
    }
)
"""Those that lie in how a port is opened, and not in what is answered there."""
