"""Puts what became of a budget into words: what happened, where, as of when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from spend.budgets.budget_periods import name_of
from spend.budgets.budget_states import ACTUAL, FORECAST, PACE, Change
from spend.budgets.budgets import Terms, only_team, percent, reached
from spend.budgets.pace import Pace
from spend.budgets.rollover import limit
from spend.channels.notices import SEE_AND_ACKNOWLEDGE, WHERE_IT_STANDS, Notice
from spend.forecasts.forecast import BAND, Forecast
from spend.moments import moment_text
from spend.money import plain, shown
from spend.periods import Period, local_day

BEHIND: Final = timedelta(minutes=15)
"""Who is told of numbers older than that is told so."""

_LATE = "This period has ended: spend that was reported late, or priced later, reached it."
_MOST_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Warned:
    """A threshold of a budget, and what became of it."""

    alert_id: int
    budget_id: int
    terms: Terms
    period: Period
    change: Change
    spent: Decimal
    as_of: datetime | None
    """Everything heard before (UTC) is in ``spent``; None: not known."""
    noticed_at: datetime
    """UTC."""
    rolled_in: Decimal = Decimal(0)
    forecast: Forecast | None = None
    pace: Pace | None = None
    parent: str | None = None
    """The name of the budget that it is a part of."""
    late_days: tuple[date, ...] = ()
    """Earlier days, of the budget's zone, that what was added since it was last compared is of."""

    @property
    def limit(self) -> Decimal:
        """The amount, and what was rolled in."""
        return limit(self.terms.amount, self.rolled_in)

    @property
    def threshold(self) -> int:
        """Percent."""
        return self.change.threshold

    @property
    def kind(self) -> str:
        """Of the crossing."""
        return self.change.kind

    @property
    def what(self) -> str:
        """crossed, again, recovered or reminder."""
        return self.change.what


def notice(warned: Warned, api_url: str | None = None) -> Notice:
    """What is told of it."""
    terms = warned.terms
    title = _title(warned)
    money = f"{shown(warned.spent, terms.currency)} of {shown(warned.limit, terms.currency)}"
    span, where = _span(warned), _as_of(warned)
    paragraphs = tuple(_paragraphs(warned))
    return Notice(
        kind=warned.kind if warned.what == "crossed" else warned.what,
        level=_level(warned),
        title=title,
        # Two thresholds that were reached at once are two messages, and each says which it is.
        summary=f"{title}: {money} {terms.currency} in {span} ({terms.timezone}), "
        f"{where}. Threshold {_threshold(warned)}. Alert {warned.alert_id}."
        + "".join(f" {each}" for each in paragraphs),
        facts=tuple(_facts(warned, f"{money} {terms.currency} ({_share(warned)})", span)),
        paragraphs=paragraphs,
        small=f"{where} · alert {warned.alert_id}",
        **_leads_to(warned, api_url),
        alert_id=warned.alert_id,
        budget_id=warned.budget_id,
        team=only_team(terms.filter),
        data=_data(warned),
    )


def _leads_to(warned: Warned, api_url: str | None) -> dict[str, Any]:
    """Its page, where a form acknowledges it; of what has recovered the budget's."""
    if api_url is None:
        return {}
    text, path = SEE_AND_ACKNOWLEDGE, f"alerts/{warned.alert_id}"
    if warned.what == "recovered":
        text, path = WHERE_IT_STANDS, f"budgets/{warned.budget_id}"
    return {"link_text": text, "link": f"{api_url.rstrip('/')}/{path}"}


def _title(warned: Warned) -> str:
    titles = {ACTUAL: _of_actual, FORECAST: _of_forecast, PACE: _of_pace}
    return titles[warned.kind](warned)


def _of_actual(warned: Warned) -> str:
    name, share = warned.terms.name, _share(warned)
    if warned.limit == 0:
        return {
            "crossed": f"Budget {name} is 0, and something was spent",
            "again": f"Budget {name} is 0, and something was spent again",
            "recovered": f"Budget {name} is 0, and nothing is spent any more",
            "reminder": f"Budget {name} is 0, and something is still spent",
        }[warned.what]
    # Of two that were reached at once, the lower one says which it is.
    highest = max(reached(warned.spent, warned.limit, warned.terms.thresholds), default=0)
    past = f", past {warned.threshold} %" if warned.threshold < highest else ""
    return {
        "crossed": f"{share} of budget {name} is spent{past}",
        "again": f"{share} of budget {name} is spent: it has reached {warned.threshold} % again",
        "recovered": f"Budget {name} is below {warned.threshold} % again: {share} is spent",
        "reminder": f"{share} of budget {name} is still spent",
    }[warned.what]


def _of_forecast(warned: Warned) -> str:
    name = warned.terms.name
    if warned.what == "recovered":
        return f"Budget {name} is no longer expected to reach {warned.threshold} %"
    expected = None if warned.forecast is None else percent(warned.forecast.expected, warned.limit)
    share = f"{warned.threshold} %" if expected is None else f"{expected.normalize():f} %"
    again = " again" if warned.what == "again" else ""
    return f"Budget {name} is{again} expected to reach {share} by its end"


def _of_pace(warned: Warned) -> str:
    name = warned.terms.name
    times = _times(warned.threshold if warned.pace is None else warned.pace.percent)
    again = " again" if warned.what == "again" else ""
    return f"Budget {name} is{again} being spent {times} as fast as it would last"


def _times(percentage: int) -> str:
    """With one decimal, cut: 239 % are 2.3 times."""
    return f"{percentage // 100}.{percentage // 10 % 10} times".replace(".0 ", " ")


def _paragraphs(warned: Warned) -> Iterator[str]:
    terms, zone = warned.terms, ZoneInfo(warned.terms.timezone)
    if warned.what != "recovered":
        if warned.kind == FORECAST and warned.forecast is not None:
            yield from _on_forecast(warned.forecast, terms)
        if warned.kind == PACE and warned.pace is not None:
            yield from _on_pace(warned.pace, terms, zone)
    if warned.noticed_at >= warned.period.end:
        yield _LATE if warned.what != "recovered" else "This period has ended."
    if warned.late_days:
        first = [str(day) for day in warned.late_days[:_MOST_DAYS]]
        more = len(warned.late_days) - len(first)
        days = ", ".join(first) + (f" and {more} days more" if more else "")
        yield f"What was added last was used earlier: on {days}."
    if warned.as_of is not None and warned.noticed_at - warned.as_of > BEHIND:
        local = warned.as_of.astimezone(zone)
        same_day = local.date() == local_day(warned.noticed_at, zone)
        at = f"{local:%H:%M}" if same_day else f"{local:%Y-%m-%d %H:%M}"
        yield f"The ledger is behind: this is as of {at} ({terms.timezone})."


def _on_forecast(forecast: Forecast, terms: Terms) -> Iterator[str]:
    expected, low, high = (
        shown(each, terms.currency) for each in (forecast.expected, forecast.low, forecast.high)
    )
    band = f"{BAND} % of such periods end between {low} and {high}"
    yield f"Expected by the end: {expected} {terms.currency}; {band}."
    if forecast.past_error is None:
        yield "How wrong such forecasts were is not known yet."
    else:
        error = f"{forecast.past_error.normalize():f}"
        yield f"Forecasts of this kind were wrong by {error} %, in the middle."


def _on_pace(found: Pace, terms: Terms, zone: ZoneInfo) -> Iterator[str]:
    start, end = (each.astimezone(zone) for each in (found.window.start, found.window.end))
    measured = f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({terms.timezone})"
    spent = f"{shown(found.spent, terms.currency)} {terms.currency} from {measured}"
    if found.gone_at is not None:
        gone = found.gone_at.astimezone(zone)
        short = found.window.end - found.window.start < timedelta(days=1)
        on = f"at {gone:%H:%M}" if short else f"on {gone:%Y-%m-%d}"
        yield f"At this rate it is gone {on}."
    yield f"Measured: {spent}."


def _facts(warned: Warned, money: str, span: str) -> Iterator[tuple[str, str]]:
    terms = warned.terms
    yield "Spent", money
    if warned.rolled_in:
        rolled = shown(warned.rolled_in, terms.currency)
        yield "Rolled in", f"{rolled} {terms.currency} that the last period left over"
    yield "Threshold", _threshold(warned)
    yield "Period", span
    yield "Zone", terms.timezone
    if warned.parent is not None:
        yield "Part of", warned.parent
    if terms.owner is not None:
        yield "Owner", terms.owner


def _threshold(warned: Warned) -> str:
    of = {ACTUAL: "", FORECAST: " by its end", PACE: " of the even rate"}
    return f"{warned.threshold} %{of[warned.kind]}"


def _level(warned: Warned) -> str:
    if warned.what == "recovered":
        return "ok"
    if warned.kind != ACTUAL:
        return "warning"
    return "over" if reached(warned.spent, warned.limit, (100,)) else "warning"


def _share(warned: Warned) -> str:
    share = percent(warned.spent, warned.limit)
    return "over" if share is None else f"{share.normalize():f} %"


def _span(warned: Warned) -> str:
    zone = ZoneInfo(warned.terms.timezone)
    first = local_day(warned.period.start, zone)
    last = local_day(warned.period.end - timedelta(microseconds=1), zone)
    name = name_of(warned.terms, warned.period)
    days = f"{first}" if first == last else f"{first} to {last}"
    return f"{warned.terms.period} {name}" + ("" if name == days else f", {days}")


def _as_of(warned: Warned) -> str:
    if warned.as_of is None:
        return f"noticed {warned.noticed_at:%Y-%m-%d %H:%M} UTC"
    return f"as of {warned.as_of:%Y-%m-%d %H:%M} UTC"


def _data(warned: Warned) -> dict[str, Any]:
    terms, forecast, found = warned.terms, warned.forecast, warned.pace
    said: dict[str, Any] = {
        "budget": terms.name,
        "what": warned.what,
        "kind": warned.kind,
        "threshold": warned.threshold,
        "spent": plain(warned.spent),
        "amount": plain(terms.amount),
        "rolled_in": plain(warned.rolled_in),
        "limit": plain(warned.limit),
        "currency": terms.currency,
        "period_start": moment_text(warned.period.start),
        "period_end": moment_text(warned.period.end),
        "as_of": None if warned.as_of is None else moment_text(warned.as_of),
    }
    if warned.kind == FORECAST and forecast is not None:
        for name in ("expected", "low", "high"):
            said[name] = plain(getattr(forecast, name))
        error = forecast.past_error
        said["past_error_percent"] = None if error is None else plain(error)
    if warned.kind == PACE and found is not None:
        said["pace_percent"] = found.percent
        said["gone_at"] = None if found.gone_at is None else moment_text(found.gone_at)
    if warned.late_days:
        said["used_on"] = [str(day) for day in warned.late_days]
    return said
