"""A mail as it travels: one message, the text first and the same as HTML, for the sandbox and for a mail server."""

from __future__ import annotations

from datetime import datetime
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime

from wizard.mail.templates import Mail, one_line


def message(
    mail: Mail, *, sender: str, sender_name: str = "", to: str, name: str = "", message_id: str, at: datetime
) -> MIMEMultipart:
    """Wrap a mail for one recipient. The same mail gives the same bytes. Raises NotOneLine.

    The older classes of `email`, not EmailMessage: that one decodes what looks like an encoded word (RFC 2047) when a
    header is set, so that a buyer called `=?utf-8?q?…?=` would be obeyed, and its header parser takes ten times as
    long, which a test-fire that reads many mails feels. Here a header's text is encoded before anything looks at it,
    and both parts travel in base64: any server may carry them, however long their lines are.
    """
    # A boundary that no line of base64 can look like; one made by chance would differ on every try.
    whole = MIMEMultipart(
        "alternative", "=_wizard", [MIMEText(mail.body, "plain", "utf-8"), MIMEText(mail.html, "html", "utf-8")]
    )
    whole["From"] = _mailbox("From", one_line(sender, "the sender's address"), one_line(sender_name, "the sender"))
    whole["To"] = _mailbox("To", one_line(to, "the address"), one_line(name, "the name"))
    whole["Subject"] = encoded(one_line(mail.subject, "the subject of the mail"), "Subject")
    whole["Date"] = format_datetime(at)
    whole["Message-ID"] = message_id
    whole["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office note comes back
    whole["Wizard-Simulation"] = "1"
    return whole


def _mailbox(header: str, address: str, name: str) -> str:
    return f"{encoded(name, header)} <{address}>" if name else address


def encoded(text: str, header: str) -> str:
    """A text for a header, in encoded words of UTF-8. The first line leaves room for the header's own name: folded
    later, it would begin with a space that was never written."""
    return Header(text, "utf-8", header_name=header).encode()
