"""Puts a budget's crossing into words: what happened, where, as of when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from spend.budget_periods import period_name
from spend.budgets import Terms, percent, reached
from spend.money import ROUNDING, minor_digits, plain
from spend.notices import Notice
from spend.periods import Period, local_day

_LATE = "This period has ended: spend that was reported late, or priced later, reached it."


@dataclass(frozen=True, slots=True)
class Warned:
    """A threshold of a budget that was reached."""

    alert_id: int
    budget_id: int
    terms: Terms
    period: Period
    threshold: int
    """Percent."""
    spent: Decimal
    as_of: datetime | None
    """Everything heard before (UTC) is in ``spent``; None: not known."""
    noticed_at: datetime
    """UTC."""


def notice(warned: Warned, api_url: str | None = None) -> Notice:
    """What is told of it."""
    terms = warned.terms
    share = _share(warned)
    title = f"{share} of budget {terms.name} is spent"
    if terms.amount == 0:
        title = f"Budget {terms.name} is 0, and something was spent"
    money = f"{shown(warned.spent, terms.currency)} of {shown(terms.amount, terms.currency)}"
    span, where = _span(warned), _as_of(warned)
    late = (_LATE,) if warned.noticed_at >= warned.period.end else ()
    teams = terms.filter.get("team", ())
    return Notice(
        kind="actual",
        level="over" if reached(warned.spent, terms.amount, (100,)) else "warning",
        title=title,
        # Two thresholds that were reached at once are two messages, and each says which it is.
        summary=f"{title}: {money} {terms.currency} in {span} ({terms.timezone}), "
        f"{where}. Threshold {warned.threshold} %. Alert {warned.alert_id}."
        + "".join(f" {each}" for each in late),
        facts=(
            ("Spent", f"{money} {terms.currency} ({share})"),
            ("Threshold", f"{warned.threshold} %"),
            ("Period", span),
            ("Zone", terms.timezone),
        ),
        paragraphs=late,
        small=f"{where} · alert {warned.alert_id}",
        link_text="Where it stands now" if api_url else None,
        link=f"{api_url.rstrip('/')}/v1/budgets/{warned.budget_id}/status" if api_url else None,
        alert_id=warned.alert_id,
        budget_id=warned.budget_id,
        team=teams[0] if len(teams) == 1 else None,
        data={
            "budget": terms.name,
            "threshold": warned.threshold,
            "spent": plain(warned.spent),
            "amount": plain(terms.amount),
            "currency": terms.currency,
            "period_start": _instant(warned.period.start),
            "period_end": _instant(warned.period.end),
            "as_of": None if warned.as_of is None else _instant(warned.as_of),
        },
    )


def shown(amount: Decimal, currency: str) -> str:
    """An amount for people: whole coins with thousands set off; all digits of less than 1."""
    if 0 < abs(amount) < 1:
        return plain(amount)
    coin = Decimal(1).scaleb(-minor_digits(currency))
    return str(f"{amount.quantize(coin, ROUND_HALF_EVEN, ROUNDING):,f}")


def _share(warned: Warned) -> str:
    share = percent(warned.spent, warned.terms.amount)
    return "over" if share is None else f"{share.normalize():f} %"


def _span(warned: Warned) -> str:
    zone = ZoneInfo(warned.terms.timezone)
    first = local_day(warned.period.start, zone)
    last = local_day(warned.period.end - timedelta(microseconds=1), zone)
    name = period_name(warned.period, warned.terms.period, zone, warned.terms.fiscal)
    days = "" if first == last else f", {first} to {last}"
    return f"{warned.terms.period} {name}{days}"


def _as_of(warned: Warned) -> str:
    if warned.as_of is None:
        return f"noticed {warned.noticed_at:%Y-%m-%d %H:%M} UTC"
    return f"as of {warned.as_of:%Y-%m-%d %H:%M} UTC"


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
