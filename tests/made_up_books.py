"""Rows of a month's books, as ``store/spending/booked.py`` reads them, made up."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from spend.booked import USAGE, Booked
from spend.fiscal import Calendar
from spend.totals import Totals

CALENDAR = Calendar(ZoneInfo("UTC"))
OCTOBER = CALENDAR.named("2026-10")
SEPTEMBER = CALENDAR.previous(OCTOBER)


def money(
    team: str,
    provider: str | None,
    model: str | None,
    *,
    cost: Decimal,
    listed: Decimal | None = None,
    contracted: Decimal | None = None,
    billed: Decimal | None = None,
    currency: str = "USD",
    kind: str = USAGE,
    place: tuple[str | None, str | None] = ("api", None),
    belongs_to: date | None = None,
) -> Booked:
    """Money in four bases; what is not given is as ``cost``, but for the list cost."""
    totals = Totals(
        cost=cost,
        list_cost=listed,
        contracted_cost=cost if contracted is None else contracted,
        billed_cost=cost if billed is None else billed,
    )
    return _row((team, provider, model), kind, currency, place, belongs_to, totals)


def usage(
    team: str,
    provider: str | None,
    model: str | None,
    *,
    calls: int,
    unpriced_calls: int = 0,
    unpriced_tokens: int = 0,
    place: tuple[str | None, str | None] = ("api", None),
    belongs_to: date | None = None,
    **meters: int,
) -> Booked:
    totals = Totals(
        calls=calls,
        unpriced_calls=unpriced_calls,
        unpriced_tokens=unpriced_tokens,
        usage=meters,
    )
    return _row((team, provider, model), None, None, place, belongs_to, totals)


def _row(
    line: tuple[str, str | None, str | None],
    kind: str | None,
    currency: str | None,
    place: tuple[str | None, str | None],
    belongs_to: date | None,
    totals: Totals,
) -> Booked:
    return Booked(
        team=line[0],
        provider=line[1],
        model=line[2],
        deployment=place[0],
        region=place[1],
        kind=kind,
        currency=currency,
        belongs_to=belongs_to,
        day=None,
        totals=totals,
    )


# Names as people and attackers give them.
TEAMS = (
    "search",
    "=cmd|' /C calc'!A0",
    '#let x = read("/etc/passwd")',
    "$ sum $ *bold* \\ [x]",
    "growth 🚀",
    "فريق البحث",
    "x" * 200,
    "idle",
    "unallocated",
)
MODELS = ("gpt-4o", "+1", "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", None)
PLACES = (("api", "eu"), ("self-hosted", None), (None, None))
KINDS = (USAGE, USAGE, USAGE, "credit", "true-up", "tax")
CLOSED_DAY = date(2026, 8, 30)

_AMOUNTS = st.integers(-(10**15), 10**17).map(lambda atoms: Decimal(atoms).scaleb(-12))
# As finely as amounts are that were multiplied with a rate.
_CONVERTED = st.integers(-(10**24), 10**26).map(lambda parts: Decimal(parts).scaleb(-22))
_LINES = st.tuples(
    st.sampled_from(TEAMS), st.sampled_from(("openai", "@x", None)), st.sampled_from(MODELS)
)


def _money(currency: str) -> st.SearchStrategy[Booked]:
    return st.builds(
        lambda line, cost, listed, billed, kind, place, belongs_to: money(
            *line,
            cost=cost,
            listed=listed,
            billed=billed,
            currency=currency,
            kind=kind,
            place=place,
            belongs_to=belongs_to,
        ),
        _LINES,
        _AMOUNTS | _CONVERTED,
        st.none() | _AMOUNTS,
        st.none() | _AMOUNTS,
        st.sampled_from(KINDS),
        st.sampled_from(PLACES),
        st.sampled_from((None, None, CLOSED_DAY)),
    )


def _usage() -> st.SearchStrategy[Booked]:
    return st.builds(
        lambda line, calls, unpriced, tokens, place: usage(
            *line, calls=calls, unpriced_calls=min(calls, unpriced), place=place, input=tokens
        ),
        _LINES,
        st.integers(0, 50),
        st.integers(0, 3),
        st.integers(0, 10**6),
        st.sampled_from(PLACES),
    )


def books(currency: str, most: int = 12) -> st.SearchStrategy[list[Booked]]:
    """What is booked in a month, in one currency."""
    return st.lists(_money(currency) | _usage(), max_size=most)
