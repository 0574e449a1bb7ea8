"""The settings, read from ``SPANLEDGER_…`` environment variables and checked before anything runs.

docs/settings.md tells people about them; a test holds it to this file.
"""

import difflib
import os
import re
import sys
from collections.abc import Mapping
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.addresses import Address, parse_address
from app.door_settings import DoorSettings
from app.errors import WrongSetting
from spend.archive_addresses import checked
from spend.exchange import Telling
from spend.fiscal import ENDS, KINDS, WEEKDAYS, Calendar, FiscalYear

PREFIX = "SPANLEDGER_"
# Read by the SDK, in applications; not ours, and no mistake where both run in one shell.
OF_THE_SDK = frozenset({"API_KEY", "ENDPOINT"})

_OUR_WORDS = {"bool_parsing": "write true or false"}


def default_data_dir() -> Path:
    """Where the platform wants a user's data."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "spanledger"
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local/share") / "spanledger"


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


def _workers() -> int:
    """Half of the cores, as Postgres, jobs and API need some too; more than four starve it."""
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return max(1, min(4, cores // 2))


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


class Settings(DoorSettings):
    """What a person can set. ``read_settings()`` reads them with messages meant for people."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(
        default=None,
        description="A Postgres 15 or newer. Not set: an embedded one runs beside the server.",
    )
    read_database_url: Annotated[str, AfterValidator(_database_url)] | None = Field(
        default=None, description="A standby of it, that the API answers questions from."
    )
    read_behind_seconds: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=60, description="How far the standby may be behind; else the primary answers."
    )
    data_dir: Annotated[Path, AfterValidator(_folder)] = Field(
        default_factory=default_data_dir,
        description="What this machine keeps: the embedded Postgres, the spool and the secret of "
        "keys.",
    )
    otlp_http_addr: Annotated[Address, NoDecode, BeforeValidator(_address)] = Field(
        default=Address("127.0.0.1", 4318), description="Where OTLP over HTTP is heard."
    )
    otlp_grpc_addr: Annotated[Address, NoDecode, BeforeValidator(_address)] = Field(
        default=Address("127.0.0.1", 4317), description="Where OTLP over gRPC is heard."
    )
    api_addr: Annotated[Address, NoDecode, BeforeValidator(_address)] = Field(
        default=Address("127.0.0.1", 8321), description="Where the API and the pages answer."
    )
    pages_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        default=None, description="Where people open the pages, for the links of messages."
    )
    collector_workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default_factory=_workers, description="How many processes hear OTLP on this machine."
    )
    otlp_cors_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_origins)] = Field(
        default_factory=frozenset, description="Origins whose web pages may send OTLP over HTTP."
    )
    spool: bool = Field(
        default=True, description="Keeps what is heard on this disk while Postgres is away."
    )
    spool_bytes: Annotated[int, Field(ge=2**20)] = Field(
        default=2**30, description="How much of it at most, by all workers of this machine."
    )
    spool_hours: Annotated[float, Field(gt=0, le=24 * 365)] = Field(
        default=24, description="Once the oldest has waited so long, nothing more is taken."
    )
    slack_webhook_url: Annotated[str, AfterValidator(_webhook)] | None = Field(
        default=None, description="Where alerts go that no channel takes."
    )
    smtp_url: Annotated[str, AfterValidator(_smtp)] | None = Field(
        default=None, description="The server that sends mail: smtp:// with STARTTLS, or smtps://."
    )
    mail_from: Annotated[str, AfterValidator(_sender)] | None = Field(
        default=None, description="Whose mail it is: an address, or a name and an address."
    )
    allow_private_destinations: bool = Field(
        default=False, description="Lets webhooks go to this machine and its network, over http."
    )
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        default="UTC", description="Whose days and months reports and budgets use."
    )
    currency: Annotated[str, AfterValidator(_currency)] = Field(
        default="USD", description="The currency of the ledger."
    )
    rate_policy: Literal["daily", "period-end", "period-average"] = Field(
        default="daily",
        description="At which day's exchange rate amounts in other currencies are reported.",
    )
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] = Field(
        default=1, description="The month that the fiscal year begins in: 2 is February."
    )
    fiscal_periods: Literal[KINDS] = Field(  # type: ignore[valid-type]  # a tuple of strings
        default=KINDS[0], description="What a fiscal year is cut into: months, or weeks."
    )
    fiscal_week_start: Literal[WEEKDAYS] = Field(  # type: ignore[valid-type]  # as above
        default=WEEKDAYS[0], description="The day that weeks begin on, of a year of weeks."
    )
    fiscal_year_end: Literal[ENDS] = Field(  # type: ignore[valid-type]  # as above
        default=ENDS[0],
        description="Whether a year of weeks ends on the last such day of its last month, or on "
        "the one nearest to that month's end.",
    )
    retention_days: Annotated[int, Field(ge=7, le=36_500)] | None = Field(
        default=None,
        description="How many days calls stay in Postgres. Not set: for ever.",
    )
    archive: Annotated[str, AfterValidator(checked)] | None = Field(
        default=None,
        description="Where calls go before their day is dropped: a folder, s3://…, or none.",
    )
    key_pepper: Annotated[str, AfterValidator(_pepper)] | None = Field(
        default=None,
        description="The secret that keys are hashed with and channels' secrets sealed; machines "
        "that share a database share it. Not set: one is made in DATA_DIR.",
    )

    @model_validator(mode="after")
    def _destinations(self) -> Self:
        url = self.slack_webhook_url
        if url and urlsplit(url).scheme == "http" and not self.allow_private_destinations:
            raise ValueError(
                f"{PREFIX}SLACK_WEBHOOK_URL: it must be https "
                f"({PREFIX}ALLOW_PRIVATE_DESTINATIONS=true lets tests use http)"
            )
        if self.retention_days is not None and self.archive is None:
            raise ValueError(
                f"{PREFIX}RETENTION_DAYS: set {PREFIX}ARCHIVE too, to where calls go before they"
                " are dropped; to none, and they are lost"
            )
        if (self.smtp_url is None) != (self.mail_from is None):
            raise ValueError(f"{PREFIX}SMTP_URL and {PREFIX}MAIL_FROM: set both, or none")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of reports."""
        return ZoneInfo(self.timezone)

    @property
    def fiscal_year(self) -> FiscalYear:
        """How the books' years are cut."""
        return FiscalYear(
            kind=self.fiscal_periods,
            starts_in=self.fiscal_year_start,
            week_starts_on=self.fiscal_week_start,
            ends=self.fiscal_year_end,
        )

    @property
    def calendar(self) -> Calendar:
        """Whose periods are closed, and statements are of."""
        return Calendar(self.zone, self.fiscal_year)

    @property
    def telling(self) -> Telling:
        """How money of many currencies is told where nobody asks for it otherwise."""
        return Telling(self.currency, self.rate_policy)


def read_settings() -> Settings:
    """The settings of this process. Raises WrongSetting."""
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSetting(_explained(error)) from None


def _explained(error: ValidationError) -> str:
    """One line for each wrong setting, without the values that are secret."""
    lines = []
    for detail in error.errors(include_url=False, include_input=False):
        why = _OUR_WORDS.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
        where = [str(part) for part in detail["loc"]]
        lines.append(f"{PREFIX}{where[0].upper()}: {why}" if where else why)
    return "\n".join(lines)


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Variables that look like settings of ours and are none, with what was perhaps meant."""
    known = {name.upper() for name in Settings.model_fields}
    lines = []
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX)
        if name in known | OF_THE_SDK or name == variable:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        lines.append(f"{variable} is no setting" + (f": {PREFIX}{near[0]}?" if near else ""))
    return lines
