"""What settings take: each kind of value is checked here, and told in the words of people.

docs/reference/settings.md is written from them.
"""

import difflib
import re
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.addresses import Address, parse_address
from spend.archive_addresses import checked


@dataclass(frozen=True)
class Takes:
    """What a setting takes, in words; ``secret``: no log, error or page of ours shows it."""

    words: str
    secret: bool = False


@dataclass(frozen=True)
class Unset:
    """What holds where a setting is not set, in words, as this differs between machines."""

    words: str


def _address(value: object) -> Address:
    return value if isinstance(value, Address) else parse_address(str(value))


def _database_url(value: str) -> str:
    # The value may hold a password: no message repeats it.
    scheme, mark, rest = value.partition("://")
    if not mark or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("write postgresql://user:password@host:port/database")
    url = f"postgresql://{rest}"
    try:
        conninfo_to_dict(url)
        make_url(url)
    except (ProgrammingError, ArgumentError, ValueError) as error:
        raise ValueError("Postgres cannot read this URL") from error
    return url


def _folder(value: Path) -> Path:
    folder = value.expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    return folder


def _timezone(value: str) -> str:
    # Not ZoneInfo's word alone: it also takes 'localtime', which Postgres does not know.
    zones = available_timezones() - {"localtime", "posixrules", "Factory"}
    if value not in zones:
        near = difflib.get_close_matches(value, zones, n=1)
        hint = f"did you mean {near[0]}?" if near else "write one such as Europe/Berlin"
        raise ValueError(f"{value!r} is no time zone of the IANA list; {hint}")
    return value


def _currency(value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise ValueError(f"{value!r} is no ISO 4217 code; write three capitals, such as EUR")
    return value


def _webhook(value: str) -> str:
    # The path of a webhook is its password.
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write a URL such as https://hooks.slack.com/services/…")
    return value


def _smtp(value: str) -> str:
    # It may hold a password: no message repeats it.
    try:
        parts = urlsplit(value)
        known = parts.scheme in {"smtp", "smtps"} and parts.hostname and (parts.port or True)
    except ValueError:
        known = False
    if not known or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("write a URL such as smtp://user:password@mail.example.com:587")
    return value


def _sender(value: str) -> str:
    name, address = parseaddr(value)
    mailbox, _, host = address.rpartition("@")
    if not value.isprintable() or not value.isascii() or not mailbox or "." not in host:
        raise ValueError("write an address such as alerts@example.com")
    return formataddr((name, address))


def _pepper(value: str) -> str:
    if len(value) < 16:  # noqa: PLR2004  # shorter than what anybody's generator gives
        raise ValueError("it must have 16 characters or more")
    return value


def _origins(value: object) -> frozenset[str]:
    if isinstance(value, frozenset):
        return value
    return frozenset(_origin(text) for text in str(value).split(",") if text.strip())


def _origin(text: str) -> str:
    """As a browser writes it: lower case, and without the port that goes without saying."""
    parts = urlsplit(text.strip().lower())
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "none")
    origin = f"{parts.scheme}://{parts.netloc}"
    if "@" in origin or "*" in origin or not parts.hostname or usual == "none":
        raise ValueError(f"{text.strip()!r} is no origin: write https://app.example, no wildcard")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{text.strip()!r} has a path: an origin is https://app.example alone")
    return origin.removesuffix(usual)


DatabaseUrl = Annotated[
    str,
    AfterValidator(_database_url),
    Takes("`postgresql://user:password@host:port/database`", secret=True),
]
Folder = Annotated[Path, AfterValidator(_folder), Takes("a folder")]
HostAndPort = Annotated[Address, NoDecode, BeforeValidator(_address), Takes("`host:port`")]
Origin = Annotated[str, AfterValidator(_origin), Takes("`https://host`, without a path")]
Origins = Annotated[
    frozenset[str],
    NoDecode,
    BeforeValidator(_origins),
    Takes("`https://host`, with commas between"),
]
WebhookUrl = Annotated[str, AfterValidator(_webhook), Takes("a URL, `https` only", secret=True)]
MailServer = Annotated[
    str,
    AfterValidator(_smtp),
    Takes("`smtp://user:password@host:port` or `smtps://…`", secret=True),
]
Sender = Annotated[
    str, AfterValidator(_sender), Takes("an address: `a@example.com`, `Spend <a@example.com>`")
]
TimeZone = Annotated[str, AfterValidator(_timezone), Takes("a zone of the IANA list")]
Currency = Annotated[str, AfterValidator(_currency), Takes("an ISO 4217 code")]
Archive = Annotated[
    str, AfterValidator(checked), Takes("a folder, `s3://bucket/prefix?…`, or `none`")
]
Pepper = Annotated[str, AfterValidator(_pepper), Takes("16 characters or more", secret=True)]
