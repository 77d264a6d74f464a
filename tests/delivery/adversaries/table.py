"""What comes of each way out under each fault: the verdict, how many tries, the seconds at most, what a seller reads.

A row is a fault of `wizard.sandbox.faults`, a column a way out of `tests.delivery.adversaries.ways`, or a family of
them. A new fault or a new way is one more row or column: the tests fail until each of its cells is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from models.events import Verdict
from wizard.sandbox.faults import Fault

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "endpoints": ("backend webhook", "webhook", "dap", "s2member"),
    "apis": ("wordpress", "ghost"),
    "all": (
        "backend webhook", "webhook", "dap", "s2member", "wordpress", "ghost", "downloads", "proof pages",
        "a third party's",
    ),
}  # fmt: skip
"""Ways that answer alike; the narrower goes before the wider."""


class Cell(NamedTuple):
    """What comes of one way under one fault."""

    verdict: Verdict
    tries: int
    seconds: float
    """At most, with the patience of these tests."""
    says: str
    """A part of what the seller reads: `{who}` is who answered, `{host}` and `{site}` where, `{written}` where its
    settings stand. Empty where it went well."""


AT_ONCE, IN_THE_END, WELL = 2.0, 5.0, 15.0
"""Seconds: a fault that lasts is told at once, one that may pass after some tries; what goes well may take longer."""


def fails(says: str) -> Cell:
    """A step that fails at its first try."""
    return Cell(Verdict.FAILED, 1, AT_ONCE, says)


def asks(says: str) -> Cell:
    """A person must do something, which is said at once."""
    return Cell(Verdict.ACTION_REQUIRED, 1, AT_ONCE, says)


def gives_up(says: str) -> Cell:
    """A step that is tried again, and fails in the end."""
    return Cell(Verdict.FAILED, 3, IN_THE_END, f"{says} Tried 3 times in ")


def passes(tries: int = 1) -> Cell:
    """All is well, after so many tries."""
    return Cell(Verdict.PASSED, tries, WELL, "")


BROKE = "The backend broke ("
"""A third party's backend that leaves it to the runner to understand what came back."""

OTHER_BYTES = "The link gave Ada Example other bytes than the file you chose: "
OPEN_TO_ALL = "Anybody can read {site}/members without logging in, so it proves nothing."
LINK_IS_DEAD = "The link that your endpoint gave does not work: "
TURNED_AWAY = "signed in by the link that {who} gave and was turned away all the same from {site}/members "
BROKE_OFF = "the connection broke off before the reply was whole."
STILL_THERE = "The old link still gives the file to Ada Example."
KEPT_BY_CACHE = "Once Ada Example had read {site}/members, anybody could read it without logging in. A cache in front"
NOT_TRUSTED = "The certificate of {host} is not to be trusted: "


def refused(status: int, words: str, third: str) -> Mapping[str, Cell]:
    """A status that will not pass, and is the platform's own."""
    return {
        "endpoints": asks(f"{{who}} answered {status}: {words}. Check the signing secret in {{written}}."),
        "apis": asks(f"{{who}} answered {status}: {words}. Check the key or password of the connection"),
        "downloads": fails(LINK_IS_DEAD),
        "proof pages": fails(f"{TURNED_AWAY}(status {status}"),
        "a third party's": fails(f"{BROKE}HTTPStatusError: Client error '{status} {third}'"),
    }


def passing(status: int, words: str) -> Mapping[str, Cell]:
    """A status that may pass."""
    return {
        "endpoints": gives_up(f"{{who}} answered {status}: {words}."),
        "apis": gives_up(f"{{who}} answered {status}: {words}."),
        "downloads": gives_up(f"{{host}} answered the download with {status}."),
        "proof pages": gives_up(f"{{host}} answered {status}."),
        "a third party's": fails(f"{BROKE}HTTPStatusError"),
    }


UNREACHED = "the reply was not there within 0.3 seconds."

TABLE: Mapping[Fault, Mapping[str, Cell]] = {
    Fault.SLOW: {"all": passes(), "mail": passes()},
    Fault.DOWN_THEN_BACK: {
        "all": passes(3), "a third party's": fails(f"{BROKE}HTTPStatusError: Server error '503"), "mail": passes(3),
    },
    Fault.RATE_LIMITED: {
        "all": passes(2), "a third party's": fails(f"{BROKE}HTTPStatusError: Client error '429"), "mail": passes(2),
    },
    Fault.SERVER_ERROR: {
        **passing(500, "something broke"),
        "mail": gives_up("{host} answered DATA with “451 4.3.0 something broke”."),
    },
    Fault.HTML: {
        "endpoints": fails(
            "{who} answered 200 with a web page, “Please log in to continue”, in place of a reply: nothing shows that "
            "it was done. Correct the address, or take away what stands in front of it, such as a login."
        ),
        "apis": asks("{who} answered with a web page in place of data. Check the address, and whether something"),
        "downloads": fails(
            "The link gave Ada Example a web page in place of “workbook.pdf”. Does something in front of it, such as a"
        ),
        "proof pages": fails(OPEN_TO_ALL),
        "a third party's": fails(f"{BROKE}JSONDecodeError"),
        "mail": asks("{host} does not speak SMTP: it answered with “HTTP/1.1 400 Bad Request”."),
    },
    Fault.ERROR_INSIDE: {
        "endpoints": fails("{who} answered 200, but its reply says no: the order was not understood."),
        "wordpress": asks("{who} does not answer as WordPress does: check its address."),
        "ghost": asks("{who} does not answer as Ghost does: check its address."),
        "downloads": fails("The link gave Ada Example a message between programs (JSON) in place of “workbook.pdf”."),
        "proof pages": fails(OPEN_TO_ALL),
        # It took the no for a yes, and was found out by the buyer.
        "a third party's": fails("Ada Example was turned away from {site}/members."),
    },
    Fault.LIES_ABOUT_REVOKING: {
        "all": fails("Ada Example can still read {site}/members after access was taken away."),
        "downloads": fails(STILL_THERE),
        "a third party's": fails("Ada Example read {site}/members."),
    },
    Fault.DROPS_CONNECTION: {
        "endpoints": gives_up(f"{{who}} could not be reached at {{host}}: {BROKE_OFF}"),
        "apis": gives_up(f"{{who}} could not be reached at {{host}}: {BROKE_OFF}"),
        "downloads": gives_up(f"The download could not be reached: {BROKE_OFF}"),
        "proof pages": gives_up(f"{{host}} could not be reached: {BROKE_OFF}"),
        "a third party's": fails(f"{BROKE}RemoteProtocolError"),
        "mail": gives_up("{host} could not be reached or broke off: Unexpected EOF received."),
    },
    Fault.SILENCE: {
        "endpoints": gives_up(f"{{who}} could not be reached at {{host}}: {UNREACHED}"),
        "apis": gives_up(f"{{who}} could not be reached at {{host}}: {UNREACHED}"),
        "downloads": gives_up(f"The download could not be reached: {UNREACHED}"),
        "proof pages": gives_up(f"{{host}} could not be reached: {UNREACHED}"),
        "a third party's": fails(f"{BROKE}ReadTimeout"),
        "mail": gives_up("No answer within 0.5 seconds."),
    },
    Fault.SLOW_DRIP: {
        "endpoints": gives_up(f"{{who}} could not be reached at {{host}}: {UNREACHED}"),
        "apis": gives_up(f"{{who}} could not be reached at {{host}}: {UNREACHED}"),
        "downloads": fails("The download was not complete in time: "),
        "proof pages": gives_up(f"{{host}} could not be reached: {UNREACHED}"),
        "a third party's": fails(f"{BROKE}ReadTimeout"),
        "mail": gives_up("No answer within 0.5 seconds."),
    },
    Fault.HUGE: {
        "all": fails("localhost sent more than 4,000,000 bytes: the rest was not read."),
        # A page is read as far as anybody would.
        "proof pages": fails(OPEN_TO_ALL),
        "mail": asks("{host} does not speak SMTP: "),
    },
    Fault.BYTE_ORDER_MARK: {"all": passes(), "downloads": fails(f"{OTHER_BYTES}923 bytes instead of 920.")},
    Fault.WRONG_TYPE: {"all": passes()},
    Fault.UNKNOWN_CHARSET: {"all": passes(), "mail": passes()},
    Fault.NOT_COMPRESSED: {"all": passes()},
    Fault.COMPRESSED: {"all": passes()},
    Fault.BROKEN_COMPRESSION: {"all": fails("The reply of localhost is called compressed (gzip) and is not: ")},
    Fault.REDIRECT_CIRCLE: {
        "endpoints": asks("{host} sends each request on to the same address again: correct the address of {who}, or"),
        "apis": asks("{host} sends each request on to the same address again: correct the address of {who}, or"),
        "downloads": fails("The download at {host} leads nowhere: it redirects in a circle."),
        "proof pages": fails("{site}/members?again redirects in a circle."),
        "a third party's": fails(f"{BROKE}HTTPStatusError: Redirect response '307"),
    },
    Fault.REDIRECT_ELSEWHERE: {
        "endpoints": asks("{host} has moved to https://elsewhere.example/: correct the address of {who}."),
        "apis": asks("{host} has moved to https://elsewhere.example/: correct the address of {who}."),
        "downloads": asks("Nothing was sent to elsewhere.example: it stands in none of your connections, and not in"),
        "proof pages": fails(f"{TURNED_AWAY}(sent to https://elsewhere.example/)."),
        "a third party's": fails(f"{BROKE}HTTPStatusError: Redirect response '307"),
    },
    Fault.GATE: {
        "all": asks("{host} is behind a password of its own (Basic authentication, “Staging”): it stands in front of"),
        "a third party's": fails(f"{BROKE}HTTPStatusError: Client error '401"),
    },
    Fault.UNAUTHORIZED: {
        **refused(401, "a refused key", "Unauthorized"),
        "mail": asks("{host} answered MAIL FROM with “530 5.7.0 Authentication required”: it wants a login"),
    },
    Fault.FORBIDDEN: {
        **refused(403, "forbidden", "Forbidden"),
        "mail": asks("{host} answered MAIL FROM with “553 5.7.1 not your address”: set WIZARD_MAIL_FROM to an address"),
    },
    Fault.NOT_FOUND: {
        **refused(404, "not found", "Not Found"),
        "endpoints": fails("{who} answered 404: not found."),
        "apis": fails("{who} answered 404: not found."),
        "mail": fails("{host} answered RCPT TO with “550 5.1.1 no such user”: it takes no mail for <ada."),
    },
    Fault.TIMED_OUT: passing(408, "timed out"),
    Fault.GONE: {
        **refused(410, "gone", "Gone"),
        "endpoints": asks("{who} is switched off: its address answered 410, gone. Switch it on"),
        "apis": fails("{who} answered 410: gone."),
        "mail": fails("{host} answered DATA with “554 5.6.0 no more of this”: it does not take this mail."),
    },
    Fault.TOO_EARLY: passing(425, "too early"),
    Fault.TOO_MANY: {
        **passing(429, "too many"), "mail": gives_up("{host} answered RCPT TO with “450 4.2.1 too many”."),
    },
    Fault.COME_BACK_LATER: {
        **passing(429, "come back later"),
        "endpoints": fails("{who} answered 429: come back later. It asked to wait 3600 seconds: try again then."),
        "apis": fails("{who} answered 429: come back later. It asked to wait 3600 seconds: try again then."),
        "proof pages": fails("{host} answered 429. It asked to wait 3600 seconds: try again then."),
    },
    Fault.BAD_GATEWAY: passing(502, "bad gateway"),
    Fault.UNAVAILABLE: {
        **passing(503, "unavailable"),
        "mail": gives_up("{host} answered CONNECT localhost with “421 4.3.2 closing for a while”."),
    },
    Fault.GATEWAY_TIMEOUT: passing(504, "gateway timeout"),
    Fault.WRONG_CERTIFICATE: {
        "all": asks("its certificate is for another name. Write the host as its certificate does, or install one for"),
        "mail": asks(f"{NOT_TRUSTED}Hostname mismatch"),
    },
    Fault.EXPIRED_CERTIFICATE: {
        "all": asks("Nothing was sent to localhost: its certificate has expired. Renew it."),
        "mail": asks(f"{NOT_TRUSTED}certificate has expired."),
    },
    Fault.UNKNOWN_AUTHORITY: {
        "all": asks("Nothing was sent to localhost: its certificate is not signed by an authority that browsers know"),
        "mail": asks(f"{NOT_TRUSTED}unable to get local issuer certificate."),
    },
    Fault.PLAIN_FOR_TLS: {
        "all": asks("Nothing was sent to {host}: it does not speak TLS. Write http:// in place of https://"),
        "mail": asks("{host} does not speak TLS as WIZARD_SMTP_URL says: "),
    },
    Fault.TLS_FOR_PLAIN: {
        "all": asks("{host} speaks TLS and nothing else: write https:// in place of http://."),
        "mail": asks("{host} speaks TLS from the first byte: write smtps:// in place of smtp:// in WIZARD_SMTP_URL."),
    },
    Fault.CACHE: {
        "all": fails(KEPT_BY_CACHE),
        "downloads": fails(f"{STILL_THERE} A cache in front of it may keep it (Age: 7, X-Cache: HIT): "),
        "a third party's": fails("Ada Example read {site}/members."),
    },
}  # fmt: skip

NO_MAIL = frozenset(Fault) - {fault for fault, row in TABLE.items() if "mail" in row}
"""What a mail server cannot have: SMTP knows no redirects, caches, types, charsets of replies, or these refusals."""


def cell(fault: Fault, way: str) -> Cell:
    """What must come of a way under a fault. Raises KeyError where the table does not say."""
    row = TABLE[fault]
    for name in (way, *(family for family, ways in FAMILIES.items() if way in ways)):
        if name in row:
            return row[name]
    raise KeyError(f"the table says nothing of {way} under {fault}")
