"""The settings, read from ``SPANLEDGER_…`` environment variables and checked before anything runs.

docs/reference/settings.md is written from this file and from those of its bases (make reference).
"""

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from app.addresses import Address
from app.door_settings import DoorSettings
from app.errors import WrongSetting
from app.setting_files import settings_in_files
from app.setting_values import (
    Archive,
    Currency,
    DatabaseUrl,
    Folder,
    HostAndPort,
    MailServer,
    Origin,
    Origins,
    Pepper,
    Sender,
    TimeZone,
    Unset,
    WebhookUrl,
)
from app.telemetry_settings import TelemetrySettings
from spend.currencies.exchange import Telling
from spend.fiscal import ENDS, KINDS, WEEKDAYS, Calendar, FiscalYear

PREFIX = "SPANLEDGER_"
# Read by the SDK, in applications; not ours, and no mistake where both run in one shell.
OF_THE_SDK = frozenset({"API_KEY", "ENDPOINT"})
# Read by `spanledger mcp` and `canary`, which ask as clients do.
OF_CLIENTS = frozenset({"API_URL", "READ_KEY"})

_OUR_WORDS = {"bool_parsing": "write true or false"}


def default_data_dir() -> Path:
    """Where the platform wants a user's data."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "spanledger"
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local/share") / "spanledger"


def _workers() -> int:
    """Half of the cores, as Postgres, jobs and API need some too; more than four starve it."""
    usable = getattr(os, "sched_getaffinity", None)
    cores = len(usable(0)) if usable else os.cpu_count() or 1
    return max(1, min(4, cores // 2))


class Settings(DoorSettings, TelemetrySettings):
    """What a person can set. ``read_settings()`` reads them with messages meant for people."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: DatabaseUrl | None = Field(
        default=None,
        description="A Postgres 15 or newer; `?sslmode=require` and the like work. Not set: an "
        "embedded one runs beside the server, and keeps its data in `DATA_DIR`.",
    )
    read_database_url: DatabaseUrl | None = Field(
        default=None,
        description="A standby of that Postgres, which the API and the pages answer questions "
        "from ([read replicas](../growing.md#read-replicas)).",
    )
    read_behind_seconds: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=60,
        description="How far the standby may be behind, in seconds. Further, or away: "
        "`DATABASE_URL` answers.",
    )
    data_dir: Annotated[Folder, Unset("the user's data folder")] = Field(
        default_factory=default_data_dir,
        description="[What this machine keeps](../settings.md#what-is-in-data_dir): the embedded "
        "Postgres, its password and log, the collector's spool, and the secret that keys are "
        "hashed with. The user's data folder is `~/.local/share/spanledger` (`XDG_DATA_HOME` is "
        "respected), on macOS `~/Library/Application Support/spanledger`.",
    )
    secrets_dir: Folder | None = Field(
        default=None,
        description="A folder with a file for each setting that is better not seen in the "
        "environment, named as its variable: `SPANLEDGER_DATABASE_URL`. A variable wins.",
    )
    otlp_http_addr: HostAndPort = Field(
        default=Address("127.0.0.1", 4318),
        description="Where OTLP over HTTP is heard. Port 0 picks a free one, here as below.",
    )
    otlp_grpc_addr: HostAndPort = Field(
        default=Address("127.0.0.1", 4317), description="Where OTLP over gRPC is heard."
    )
    api_addr: HostAndPort = Field(
        default=Address("127.0.0.1", 8321), description="Where the API and the pages answer."
    )
    jobs_addr: Annotated[HostAndPort | None, NoDecode] = Field(
        default=None,
        description="Where the process of the jobs says how it does ([metrics](../metrics.md)). "
        "Not set: nowhere.",
    )
    pages_url: Annotated[Origin, Unset("that of `API_ADDR`")] | None = Field(
        default=None,
        description="Where people open the [pages](../pages.md), if that is another address. "
        "Messages in Slack and mail link there.",
    )
    collector_workers: Annotated[
        int, Field(ge=1, le=64), Unset("half of the cores, at least 1 and at most 4")
    ] = Field(
        default_factory=_workers,
        description="How many processes hear OTLP on this machine. They share both ports. With "
        "two or more, one that dies leaves no gap on OTLP/gRPC either "
        "([restarts](../otlp.md#restarts)).",
    )
    otlp_cors_origins: Origins = Field(
        default_factory=frozenset,
        description="Origins whose web pages may send OTLP over HTTP from a browser. No wildcard.",
    )
    spool: bool = Field(
        default=True,
        description="Keeps what is heard in `DATA_DIR/spool` while Postgres is away, and stores "
        "it when it is back ([otlp](../otlp.md#while-postgres-is-away)). `false`: senders are "
        "told to come again, and lose what they cannot hold.",
    )
    spool_bytes: Annotated[int, Field(ge=2**20)] = Field(
        default=2**30,
        description="How much of it is kept at most, in bytes, by all workers of this machine "
        "(1 GiB where it is not set). Then senders are told to come again.",
    )
    spool_hours: Annotated[float, Field(gt=0, le=24 * 365)] = Field(
        default=24,
        description="Once the oldest record has waited so many hours, nothing more is taken. What "
        "is there stays.",
    )
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=45,
        description="How long a call waits for what others report of it before it is counted; what "
        "comes later still corrects the sums.",
    )
    slack_webhook_url: WebhookUrl | None = Field(
        default=None, description="Where alerts go that no [channel](../channels.md) takes."
    )
    smtp_url: MailServer | None = Field(
        default=None,
        description="The server that mail to [channels](../channels.md) goes through: `smtp://` "
        "with STARTTLS, always, unless the server is on this machine, or `smtps://` (TLS). Its "
        "certificate is checked. A `:`, `@` or `/` in the password is written `%3A`, `%40`, `%2F`.",
    )
    mail_from: Sender | None = Field(
        default=None, description="Whose mail it is. Set with `SMTP_URL`."
    )
    allow_private_destinations: bool = Field(
        default=False,
        description="`true` lets webhooks go to this machine and its network, and over `http`: "
        "for tests and demos. Otherwise whoever may set a budget or a channel could make the "
        "server knock at doors inside the network.",
    )
    timezone: TimeZone = Field(
        default="UTC",
        description="Whose days and months budgets and reports use where nobody asks for another. "
        "What is stored is UTC.",
    )
    currency: Currency = Field(
        default="USD",
        description="The currency that reports and budgets are in where nobody asks for another. "
        "What is paid in others is converted at [rates](../currencies.md) that you enter.",
    )
    rate_policy: Literal["daily", "period-end", "period-average"] = Field(
        default="daily",
        description="At which exchange rate: of the day of the call (`daily`), of the period's "
        "last day (`period-end`), or the mean of its days (`period-average`).",
    )
    fiscal_year_start: Annotated[int, Field(ge=1, le=12)] = Field(
        default=1,
        description="The month that the fiscal year begins in. A fiscal year is called by the "
        "year it ends in: with 2, FY2027 is February 2026 to January 2027.",
    )
    fiscal_periods: Literal[KINDS] = Field(  # type: ignore[valid-type]  # a tuple of strings
        default=KINDS[0],
        description="What a fiscal year is cut into, and so what is closed: months; 4-4-5, 4-5-4 "
        "or 5-4-4 weeks a quarter; 13 times 4 weeks. The 53rd week of a long year is the last "
        "period's. Periods of weeks are called `FY2027-P02`.",
    )
    fiscal_week_start: Literal[WEEKDAYS] = Field(  # type: ignore[valid-type]  # as above
        default=WEEKDAYS[0],
        description="The day that weeks begin on; a year of weeks ends the day before.",
    )
    fiscal_year_end: Literal[ENDS] = Field(  # type: ignore[valid-type]  # as above
        default=ENDS[0],
        description="Whether a year of weeks ends on the `last` such day of its last month, or on "
        "the one `nearest` to that month's end (as retail does, with `4-5-4` from February and "
        "weeks from Sunday).",
    )
    retention_days: Annotated[int, Field(ge=7, le=36_500), Unset("for ever")] | None = Field(
        default=None,
        description="How many days calls stay in Postgres; older days are archived, then dropped, "
        "and spans of them are refused ([retention](../retention.md)). `ARCHIVE` must be set with "
        "it.",
    )
    archive: Archive | None = Field(
        default=None,
        description="Where calls go before their day is dropped: a folder as an absolute path, or "
        "`s3://bucket/prefix?region=…&endpoint_override=…` with its keys where AWS's tools look "
        "for them (`AWS_ACCESS_KEY_ID`, …), never in the address. `none`: they are lost, and only "
        "their sums stay.",
    )
    key_pepper: Annotated[Pepper, Unset("made on first use, in `DATA_DIR`")] | None = Field(
        default=None,
        description="The secret that keys are hashed with, and secrets of "
        "[channels](../channels.md#secrets) sealed. Machines that share a database set the same: "
        "one whose pepper opens none of the keys there refuses to start. Keys made with another "
        "pepper are not found, and secrets not opened.",
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
    in_files = settings_in_files(os.environ, prefix=PREFIX, names=Settings.model_fields.keys())
    try:
        return Settings(**in_files)  # type: ignore[arg-type]  # text, which it reads as variables
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
        if name in known | OF_THE_SDK | OF_CLIENTS or name == variable:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        lines.append(f"{variable} is no setting" + (f": {PREFIX}{near[0]}?" if near else ""))
    return lines
