"""What options of commands can be: moments, time zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from spend.zones import zone_named


class ZoneType(click.ParamType[ZoneInfo]):
    """An IANA time zone."""

    name = "zone"

    def convert(
        self, value: str | ZoneInfo, param: click.Parameter | None, ctx: click.Context | None
    ) -> ZoneInfo:
        """The zone of a name."""
        if isinstance(value, ZoneInfo):
            return value
        try:
            return zone_named(value)
        except ValueError as unknown:
            self.fail(str(unknown), param, ctx)


class MomentType(click.ParamType[datetime]):
    """A date, or a time; UTC where it says no offset."""

    name = "moment"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """A moment of UTC."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("write a date (2026-10-01) or a time (2026-10-01T08:15:00Z)", param, ctx)
