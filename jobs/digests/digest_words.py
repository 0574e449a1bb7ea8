"""Puts a week into words that fit on one screen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from spend.alerts.digests import LONGEST, Compared, SpentInWeek, Week
from spend.channels.notices import DIGEST, Notice, NoticeTable
from spend.moments import moment_text
from spend.money import EXACT, ROUNDING, coins, plain, rounded
from spend.periods import local_day
from store.alerts.alert_states import OPEN
from store.alerts.alerts import Alert
from store.alerts.digests import BudgetLine

MOST_ALERTS: Final = 100
"""That are looked at for the few that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """All that a digest tells."""

    week: Week
    zone: ZoneInfo
    currency: str
    teams: tuple[str, ...]
    """Whose it is; none: everybody's."""
    spent: SpentInWeek
    elsewhere: Mapping[str, Decimal]
    """Currency -> what was spent in it and has no rate."""
    budgets: Sequence[BudgetLine]
    alerts: Mapping[str, int]
    """State -> how many, of those that are not over."""
    open_alerts: Sequence[Alert]
    """Those that nobody knows of, the newest first; at most MOST_ALERTS."""
    complete_until: datetime | None


def notice(said: Digest, api_url: str | None = None) -> Notice:
    """What is told of a week."""
    whose = f" of {', '.join(said.teams)}" if said.teams else ""
    total = said.spent.total
    money = _money(total.now, said.currency)
    changed = _in_words(total)
    title = f"Week {said.week.name}{whose}: {money}" + (f", {changed}" if changed else "")
    days = _days(said)
    return Notice(
        kind=DIGEST,
        level="info",
        title=title,
        summary=f"{title} ({days}). {_stands(said)}",
        facts=_facts(said),
        tables=tuple(each for each in _tables(said) if each.rows),
        paragraphs=_paragraphs(said),
        small=" · ".join((f"{days}, {said.zone.key}", _complete(said))),
        link_text="Where it was spent" if api_url else None,
        link=f"{api_url.rstrip('/')}/explore?{_query(said)}" if api_url else None,
        team=said.teams[0] if len(said.teams) == 1 else None,
        data=_data(said),
    )


def _facts(said: Digest) -> tuple[tuple[str, str], ...]:
    total, currency = said.spent.total, said.currency
    found = [
        ("Spent", _money(total.now, currency)),
        ("The week before", _money(total.before, currency)),
    ]
    if total.now is not None and total.before is not None:
        found.append(("Difference", f"{_signed(total.difference, currency)} {currency}"))
    found.append(("Calls", f"{said.spent.calls:,}"))
    if said.spent.idle:
        share = ""
        if total.now:
            share = f" ({_percent(said.spent.idle, total.now)} % of it)"
        found.append(("Nobody used", _money(said.spent.idle, currency) + share))
    found.append(("Budgets", _counted(said.budgets) or "all within"))
    found.append(("Alerts", _states(said.alerts) or "none open"))
    return tuple(found)


def _tables(said: Digest) -> tuple[NoticeTable, ...]:
    spent, currency = said.spent, said.currency
    several = len(spent.teams) > 1
    return (
        _table(f"Teams, {currency}", spent.teams if several else (), currency),
        _table(f"Providers, {currency}", spent.providers, currency),
        _table(f"Models, {currency}", spent.models, currency),
        NoticeTable(
            f"What grew most, {currency}",
            tuple(
                (each.name, _signed(each.difference, currency), _change(each))
                for each in spent.grew
            ),
        ),
        NoticeTable(
            "Budgets",
            tuple(
                (each.name, _share(each.spent), _state(each))
                for each in said.budgets[: 2 * LONGEST]
            ),
        ),
        NoticeTable("Alerts that nobody knows of", tuple(_alerts(said.open_alerts))),
    )


def _alerts(found: Sequence[Alert]) -> Iterator[tuple[str, ...]]:
    """A line for each budget and each subject of a rule: its highest, or newest."""
    by_subject: dict[tuple[object, ...], Alert] = {}
    for each in found:
        about = (each.budget_id, each.rule_id, each.subject, each.kind)
        best = by_subject.setdefault(about, each)
        if _threshold(each) > _threshold(best):
            by_subject[about] = each
    for each in list(by_subject.values())[:LONGEST]:
        reached = f"{_threshold(each)} %" if each.of_budget else each.level
        of = f" {each.subject}" if each.subject else ""
        kind = "spent" if each.kind == "actual" else each.kind
        yield f"{each.name}{of}", kind, reached, f"alert {each.id}"


def _threshold(alert: Alert) -> int:
    return alert.of_budget.threshold if alert.of_budget else 0


def _days(said: Digest) -> str:
    first = local_day(said.week.period.start, said.zone)
    last = local_day(said.week.period.end - timedelta(microseconds=1), said.zone)
    month = "" if first.month == last.month else f" {first:%b}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day}{month}{year} to {last.day} {last:%b %Y}"


def _table(title: str, lines: Sequence[Compared], currency: str) -> NoticeTable:
    return NoticeTable(
        title,
        tuple((each.name, _amount(each.now, currency), _change(each)) for each in lines),
    )


def _paragraphs(said: Digest) -> tuple[str, ...]:
    found = []
    spent = said.spent
    if spent.unpriced_calls or spent.unpriced_tokens:
        of = ", ".join(spent.unpriced_models[:3])
        more = len(spent.unpriced_models) - 3
        found.append(
            f"Not in it, as no price is known: {spent.unpriced_calls:,} calls with "
            f"{spent.unpriced_tokens:,} tokens, of {of}"
            + (f" and {more} more." if more > 0 else ".")
        )
    if said.elsewhere:
        amounts = ", ".join(f"{_money(each, code)}" for code, each in said.elsewhere.items())
        found.append(f"Not in it, as no exchange rate is known: {amounts}.")
    if said.complete_until is None or said.complete_until < said.week.period.end:
        found.append("The week is not complete yet: what is still to come is not in it.")
    return tuple(found)


def _stands(said: Digest) -> str:
    budgets = _counted(said.budgets) or "all within"
    alerts = _states(said.alerts) or "none open"
    return f"Budgets: {budgets}. Alerts: {alerts}."


def _counted(budgets: Sequence[BudgetLine]) -> str:
    counts = dict.fromkeys(("over", "warning", "expected"), 0)
    for each in budgets:
        counts[each.state] += 1
    told = {"over": "over", "warning": "close", "expected": "expected to be over"}
    return ", ".join(f"{count} {told[state]}" for state, count in counts.items() if count)


def _states(alerts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in alerts.items() if count)


def _state(each: BudgetLine) -> str:
    if each.state == "expected" or (each.state == "warning" and (each.expected or 0) > 100):  # noqa: PLR2004  # per cent
        return f"expected {_share(each.expected)}"
    return each.state


def _share(share: Decimal | None) -> str:
    """Cut, so that 99.9 % does not read as a threshold that it has not reached."""
    return "–" if share is None else f"{share.quantize(Decimal(1), ROUND_FLOOR, ROUNDING)} %"  # noqa: RUF001  # a dash


def _change(each: Compared) -> str:
    """By how many per cent it is more; '' where it cannot be said."""
    if not each.before:
        return "new" if each.now and each.before is None else ""
    if each.now is None:
        return ""
    share = _percent(each.difference, each.before)
    return f"{share} %" if share.startswith("-") or share == "0" else f"+{share} %"


def _in_words(each: Compared) -> str:
    """The same, in words."""
    if not each.before or each.now is None:
        return ""
    share = _percent(each.difference, each.before)
    if share == "0":
        return "as much as the week before"
    return f"{share.removeprefix('-')} % {'less' if share.startswith('-') else 'more'}"


def _percent(part: Decimal, whole: Decimal) -> str:
    """A share in whole per cent; never -0."""
    share = ROUNDING.divide(EXACT.multiply(part, Decimal(100)), whole)
    return f"{share.quantize(Decimal(1), ROUND_HALF_EVEN, ROUNDING) + 0:,}"


def _money(amount: Decimal | None, currency: str) -> str:
    return "cost not known" if amount is None else f"{coins(amount, currency)} {currency}"


def _amount(amount: Decimal | None, currency: str) -> str:
    return "not known" if amount is None else coins(amount, currency)


def _signed(amount: Decimal, currency: str) -> str:
    return f"{rounded(amount, currency):+,}"


def _complete(said: Digest) -> str:
    if said.complete_until is None:
        return "how far it is complete is not known"
    return f"complete until {said.complete_until:%Y-%m-%d %H:%M} UTC"


def _query(said: Digest) -> str:
    week, zone = said.week.period, said.zone
    first, last = (str(local_day(each, zone)) for each in (week.start, week.end))
    asked = [("from", first), ("to", last), ("timezone", zone.key)]
    asked += [("team", team) for team in said.teams]
    return urlencode([*asked, ("group_by", "team,provider,model")], safe=",/")


def _data(said: Digest) -> dict[str, Any]:
    spent = said.spent
    return {
        "week": said.week.name,
        "from": moment_text(said.week.period.start),
        "to": moment_text(said.week.period.end),
        "timezone": said.zone.key,
        "currency": said.currency,
        "teams_of": list(said.teams),
        "total": _pair(spent.total),
        "teams": [_pair(each) for each in spent.teams],
        "providers": [_pair(each) for each in spent.providers],
        "models": [_pair(each) for each in spent.models],
        "grew": [_pair(each) for each in spent.grew],
        "nobody_used": plain(spent.idle),
        "calls": spent.calls,
        "unpriced_calls": spent.unpriced_calls,
        "unpriced_tokens": spent.unpriced_tokens,
        "elsewhere": {code: plain(each) for code, each in said.elsewhere.items()},
        "budgets": [
            {
                "name": each.name,
                "state": each.state,
                "percent": None if each.spent is None else plain(each.spent),
                "expected_percent": None if each.expected is None else plain(each.expected),
            }
            for each in said.budgets
        ],
        "alerts": dict(said.alerts),
        "open_alerts": [each.id for each in said.open_alerts if each.state == OPEN],
        "complete_until": None if said.complete_until is None else moment_text(said.complete_until),
    }


def _pair(each: Compared) -> dict[str, str | None]:
    return {
        "name": each.name,
        "cost": None if each.now is None else plain(each.now),
        "before": None if each.before is None else plain(each.before),
    }
