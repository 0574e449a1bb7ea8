"""Writes numbers, money and times as whoever looks reads them. Shown only: nothing is computed.

Numbers follow the visitor's language; dates are written 3 Nov 2026, which no country reads wrong.

What is unknown is a dash, never 0. Files (CSV, XLSX) have the exact values instead.
Source of the patterns: Unicode CLDR, through Babel.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_percent

from api.pages.number_marks import money_text, number_text

UNKNOWN: Final = "–"  # noqa: RUF001 - a dash, as print has it
MINUS: Final = "\u2212"
_DATES: Final = Locale("en", "GB")
_SMALL: Final = Decimal("0.995")
_BIG: Final = 100_000
_STEPS: Final = (
    (1_000_000_000_000, "T"),
    (1_000_000_000, "B"),
    (1_000_000, "M"),
    (1_000, "k"),
)
_BYTES: Final[tuple[tuple[str, int], ...]] = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


@dataclass(frozen=True, slots=True)
class Formats:
    """One visitor's manner."""

    locale: Locale
    zone: ZoneInfo

    def money(self, amount: Decimal | None, currency: str = "USD") -> str:
        r"""With the currency's sign and two decimals; below one, as many as say something.

        >>> from babel import Locale; from zoneinfo import ZoneInfo
        >>> told = Formats(Locale("en", "US"), ZoneInfo("UTC"))
        >>> told.money(Decimal("1234.5")), told.money(Decimal("0.000123")), told.money(None)
        ('$1,234.50', '$0.000123', '\u2013')
        """
        if amount is None:
            return UNKNOWN
        return _signed(money_text(amount, currency, self.locale, _decimals(amount)))

    def unit_price(self, price: Decimal | None, currency: str = "USD") -> str:
        r"""A unit price with all of its digits, two decimals at least.

        >>> from babel import Locale; from zoneinfo import ZoneInfo
        >>> told = Formats(Locale("en", "US"), ZoneInfo("UTC"))
        >>> told.unit_price(Decimal("2.125000")), told.unit_price(Decimal("15.000000"))
        ('$2.125', '$15.00')
        """
        if price is None:
            return UNKNOWN
        shown = f"{price:f}".partition(".")[2].rstrip("0")
        decimals = max(2, len(shown))
        return money_text(price, currency, self.locale, decimals)

    def rounded(self, amount: Decimal | None, currency: str = "USD") -> str:
        """For cards and axes: whole units from 1,000 on."""
        if amount is None or abs(amount) < 1000:  # noqa: PLR2004 - where cents stop to matter
            return self.money(amount, currency)
        return _signed(money_text(amount, currency, self.locale, 0))

    def moved(self, amount: Decimal, currency: str = "USD") -> str:
        """The same with its sign, + too."""
        told = self.rounded(amount, currency)
        return f"+{told}" if amount > 0 else told

    def difference(self, amount: Decimal | None, currency: str = "USD") -> str:
        """Money with its sign, + too."""
        told = self.money(amount, currency)
        return f"+{told}" if amount is not None and amount > 0 else told.replace("-", MINUS)

    def number(self, value: Decimal | float | None) -> str:
        """A whole number, or at most three decimals."""
        return UNKNOWN if value is None else number_text(value, self.locale)

    def short(self, value: Decimal | int | None) -> str:
        """A large number by its first three digits: 1.23 M."""
        if value is None:
            return UNKNOWN
        if -_BIG < value < _BIG:
            return number_text(round(Decimal(value), 3), self.locale)
        whole = Decimal(value)
        for step, letter in _STEPS:
            if abs(whole) >= step:
                scaled = whole / step
                places = 2 if abs(scaled) < 10 else 1 if abs(scaled) < 100 else 0  # noqa: PLR2004 - three digits
                return f"{number_text(round(scaled, places), self.locale)} {letter}"
        raise AssertionError(value)

    def percent(self, share: Decimal | float | None, decimals: int = 1) -> str:
        """A share, 1 being 100 %."""
        if share is None:
            return UNKNOWN
        pattern = self.locale.percent_formats[None].pattern
        shown = pattern.replace("0%", f"0.{'0' * decimals}%") if decimals else pattern
        if decimals and shown == pattern:
            shown = f"#,##0.{'0' * decimals} %"
        return _signed(format_percent(share, shown, locale=self.locale))

    def ms(self, milliseconds: Decimal | float | None) -> str:
        """A duration by its first three digits: 840 ms, 1.20 s, 47.7 s, 2 min 5 s."""
        if milliseconds is None:
            return UNKNOWN
        value = Decimal(milliseconds)
        if value < 1000:  # noqa: PLR2004 - a second
            return f"{number_text(round(value), self.locale)} ms"
        if value < 60_000:  # noqa: PLR2004 - a minute
            places = 2 if value < 9995 else 1  # noqa: PLR2004 - three digits
            return f"{number_text(value / 1000, self.locale, places)} s"
        minutes, seconds = divmod(int(value) // 1000, 60)
        return f"{minutes} min {seconds} s"

    def size(self, count: int | None) -> str:
        """Bytes."""
        if count is None:
            return UNKNOWN
        for unit, step in _BYTES:
            if count >= step:
                return f"{number_text(round(Decimal(count) / step, 1), self.locale)} {unit}"
        return f"{count} B"

    def when(self, moment: datetime | None) -> str:
        """A moment by the clock of the visitor's zone, to the minute."""
        if moment is None:
            return UNKNOWN
        return format_datetime(moment, "d MMM y, HH:mm", tzinfo=self.zone, locale=_DATES)

    def zoned(self, moment: datetime | None) -> str:
        """The same with the zone's name: 23 Nov 2026, 12:30 CET."""
        if moment is None:
            return UNKNOWN
        name = moment.astimezone(self.zone).tzname() or self.zone.key
        # Where a zone has no name of its own, Python tells how far it is from UTC: -03.
        return f"{self.when(moment)} {f'UTC{name}' if name[0] in '+-' else name}"

    def second(self, moment: datetime | None) -> str:
        """A moment to the second, without its year: for lists of calls."""
        if moment is None:
            return UNKNOWN
        return format_datetime(moment, "d MMM, HH:mm:ss", tzinfo=self.zone, locale=_DATES)

    def day_or_when(self, moment: datetime | None) -> str:
        """A moment; of a midnight by the visitor's clock only its day."""
        if moment is None:
            return UNKNOWN
        local = moment.astimezone(self.zone)
        return self.day(local.date()) if f"{local:%H%M%S}" == "000000" else self.when(moment)

    def clock(self, moment: datetime | None) -> str:
        """The time of day, to the second."""
        if moment is None:
            return UNKNOWN
        return format_time(moment, "HH:mm:ss", tzinfo=self.zone, locale=_DATES)

    def day(self, day: date | None) -> str:
        """A calendar day (a moment would need its zone: ``when``)."""
        if day is None:
            return UNKNOWN
        return format_date(day, "d MMM y", locale=_DATES)

    def month(self, name: str) -> str:
        """A month by its name: 2026-11 is November 2026; other periods as they are called."""
        try:
            first = date.fromisoformat(f"{name}-01")
        except ValueError:
            return name
        return format_date(first, "LLLL y", locale=_DATES)

    def ago(self, moment: datetime | None, now: datetime) -> str:
        """How long a moment is past, in words."""
        if moment is None:
            return "never"
        seconds = int((now - moment).total_seconds())
        if seconds < 60:  # noqa: PLR2004 - a minute
            return "just now"
        for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
            count = seconds // length
            if count:
                return f"{count} {unit}{'s' if count > 1 else ''} ago"
        raise AssertionError(seconds)


def _signed(told: str) -> str:
    """With a minus as wide as a plus, as figures have it."""
    return told.replace("-", MINUS)


def _decimals(amount: Decimal) -> int | None:
    """How many decimals a small amount is shown with; None: those of its currency."""
    if amount == 0 or abs(amount) >= _SMALL:
        return None
    # Three digits that say something, the zeros after them left out.
    places = max(2, 2 - amount.adjusted())
    shown = format(round(amount, places), "f").rstrip("0")
    return max(2, len(shown.partition(".")[2]))


def shortened(text: str, longest: int = 90) -> str:
    """A text that may be very long, with its end left out."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
