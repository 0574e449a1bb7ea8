"""Sends mail by SMTP: text and HTML, over TLS, to each recipient once.

Source: RFC 5321 (replies: 4yz passes, 5yz stays), RFC 5322, RFC 3207 (STARTTLS), RFC 8314.
"""

import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from jobs.delivery.destinations import TIMEOUT
from jobs.delivery.mail_text import html_of, text_of
from jobs.delivery.parcels import Parcel, Place, Sending
from jobs.delivery.slack import titled
from jobs.delivery.verdicts import Verdict

ON_THE_WIRE: Final = SMTP.clone(cte_type="7bit")

_READY, _TAKEN = 220, 250
_WELCOME: Final = (250, 251, 252)
_STAYS: Final = 500
"""Replies from here on are the same next time."""
_PORTS: Final = {"smtp": 587, "smtps": 465}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_LONGEST_SUBJECT: Final = 200
_PICTURE: Final = "chart"


def send(place: Place, parcel: Parcel, sending: Sending) -> Verdict:
    """One attempt, to all recipients that are left."""
    settings = sending.settings
    if settings.smtp_url is None or settings.mail_from is None:
        return Verdict("later", "SPANLEDGER_SMTP_URL and SPANLEDGER_MAIL_FROM are not set")
    mail = written(parcel, place.to, settings.mail_from, sending.picture())
    left = tuple(each for each in parcel.left or place.to if each in place.to)
    if not left:
        # Who was still to get it is no recipient any more; the others have it.
        return Verdict("sent")
    begun = False
    try:
        with _opened(settings.smtp_url, _domain(settings.mail_from), sending.until) as server:
            refused = _announced(server, _address(settings.mail_from), left)
            if len(refused) < len(left):
                begun = True
                code, said = server.data(mail.as_bytes())
                if code != _TAKEN:
                    raise smtplib.SMTPDataError(code, said)
    except smtplib.SMTPAuthenticationError as error:
        # The setting is wrong, not the message: mended, it sends it.
        return Verdict("later", f"the server refused the password: {_reply(error)}")
    except smtplib.SMTPResponseException as error:
        stays = error.smtp_code >= _STAYS
        return Verdict("never" if stays else "later", _reply(error), left=parcel.left)
    except (smtplib.SMTPException, OSError) as error:
        return Verdict("later", _trouble(error), unsure=begun, left=parcel.left)
    return _judged(left, refused)


def written(parcel: Parcel, to: tuple[str, ...], sender: str, png: bytes | None) -> EmailMessage:
    """The mail: letter for letter the same each time, but for what parts MIME's.

    What stands in a header is one line of what is printable: nobody adds a header of theirs.
    """
    notice = parcel.notice
    mail = EmailMessage(policy=ON_THE_WIRE)
    # What looks like an encoded word (RFC 2047) would be decoded, line ends and all.
    mail["Subject"] = _one_line(titled(notice)).replace("=?", "= ?")[:_LONGEST_SUBJECT]
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(parcel.written_at)
    # The same each time: a mailbox that has it already can tell.
    mail["Message-ID"] = f"<{parcel.id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    if notice.alert_id is not None:
        mail["X-Spanledger-Alert"] = str(notice.alert_id)
    mail.set_content(text_of(notice, repeated=parcel.unsure))
    page = html_of(notice, picture=_PICTURE if png else None, repeated=parcel.unsure)
    mail.add_alternative(page, subtype="html")
    if png:
        [_, html] = mail.iter_parts()
        html.add_related(png, "image", "png", cid=f"<{_PICTURE}>", filename="budget.png")
    return mail


class _Timed(smtplib.SMTP):
    """A session whose every wait ends at one moment."""

    until: float

    def getreply(self) -> tuple[int, bytes]:
        self._hurry()
        return super().getreply()

    def send(self, s: Any) -> None:
        self._hurry()
        super().send(s)

    def _hurry(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(_seconds(self.until))


class _TimedTls(_Timed, smtplib.SMTP_SSL):
    """One that is TLS from its first byte."""


@contextmanager
def _opened(url: str, name: str, until: float) -> Iterator[smtplib.SMTP]:
    """A session in which mail can be sent, over TLS unless the server is on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    server = (
        _TimedTls(
            local_hostname=name, timeout=_seconds(until), context=ssl.create_default_context()
        )
        if parts.scheme == "smtps"
        else _Timed(local_hostname=name, timeout=_seconds(until))
    )
    server.until = until
    # smtplib's own way to say it, where a session is not connected as it is made.
    server._host = host  # type: ignore[attr-defined] # noqa: SLF001
    try:
        code, said = server.connect(host, parts.port or _PORTS[parts.scheme])
        if code != _READY:
            raise smtplib.SMTPConnectError(code, said)
        server.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif parts.scheme == "smtp" and host not in _LOOPBACK:
            raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server
        with suppress(smtplib.SMTPException, OSError):
            server.quit()  # it is sent: how we part changes nothing
    finally:
        server.close()


def _announced(
    server: smtplib.SMTP, sender: str, to: tuple[str, ...]
) -> dict[str, tuple[int, bytes]]:
    """Tells who sends and to whom; answers who was refused, and how."""
    code, said = server.mail(sender)
    if code != _TAKEN:
        raise smtplib.SMTPSenderRefused(code, said, sender)
    replies = {each: server.rcpt(each) for each in to}
    return {each: reply for each, reply in replies.items() if reply[0] not in _WELCOME}


def _judged(to: tuple[str, ...], refused: dict[str, tuple[int, bytes]]) -> Verdict:
    said = "; ".join(f"{each}: {_text(*reply)}" for each, reply in refused.items())
    again = tuple(each for each, (code, _) in refused.items() if code < _STAYS)
    if again:
        return Verdict("later", said, left=again)
    if len(refused) == len(to):
        return Verdict("never", said)
    return Verdict("sent", said and f"not to {said}")


def _reply(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return _text(error.smtp_code, said if isinstance(said, bytes) else said.encode())


def _text(code: int, said: bytes) -> str:
    return f"{code} {_one_line(said.decode('utf-8', 'replace'))}"[:_LONGEST_SUBJECT]


def _trouble(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no whole answer within {TIMEOUT:g} s"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return f"{type(error).__name__}: {_one_line(str(error))}"[:_LONGEST_SUBJECT]


def _seconds(until: float) -> float:
    return max(0.01, min(TIMEOUT, until - time.monotonic()))


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _address(sender: str) -> str:
    return parseaddr(sender)[1]


def _domain(sender: str) -> str:
    return _address(sender).rpartition("@")[2]
