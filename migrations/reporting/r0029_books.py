"""Pools, prices, exchange rates, months, jobs: as views."""

from typing import Final

from migrations.reporting.r0029_shared import DISJOINT, TENANT
from migrations.reporting.views import Column, View

_STAMP: Final = "timestamp with time zone"
_AMOUNT: Final = "numeric(38,12)"

_POOL_HOURS: Final = f"""
    SELECT settled.hour, pools.name, pools.kind, pools.provider, pools.region, pools.currency,
        settled.cost, settled.billed_amount, settled.idle,
        (settled.cost - settled.idle)::numeric(38, 12), settled.work_units, settled.capacity,
        (settled.timed_us::numeric / 1000000)::numeric(38, 6), settled.method, settled.settled_at
    FROM pool_hours AS settled JOIN pools ON pools.tenant_id = {TENANT}
        AND pools.id = settled.pool_id
    WHERE settled.tenant_id = {TENANT}
"""  # noqa: S608  # constants

_PRICES: Final = f"""
    SELECT id, book, provider, model, region, service_tier, meter, above_tokens, above_monthly,
        unit_price, currency, valid_from, valid_to, source
    FROM prices WHERE tenant_id IN (0, {TENANT}) AND known_to IS NULL
    AND valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
"""  # noqa: S608  # constants

_TOKENS: Final = " + ".join(DISJOINT)


def _unpriced(reason: str, calls: str, also: str, tokens: str) -> str:
    return f"""
        SELECT route_id, '{reason}' AS reason, sum({calls})::bigint AS calls,
            {tokens}::bigint AS tokens, min(slot) AS first_slot, max(slot) AS last_slot
        FROM cells WHERE tenant_id = {TENANT} AND slot >= days.day
        AND slot < days.day + interval '24 hours' AND ({calls} > 0{also}) GROUP BY route_id
    """  # noqa: S608  # constants


_NO_PRICE: Final = _unpriced(
    "no price",
    "greatest(unpriced_calls - unmetered_calls, 0)",
    " OR unpriced_tokens > 0",
    f"sum({_TOKENS})",
)
_NOT_REPORTED: Final = _unpriced(
    "usage not reported", "least(unmetered_calls, unpriced_calls)", "", "0"
)
_UNPRICED: Final = f"""
    SELECT (days.day AT TIME ZONE 'UTC')::date, routes.provider, routes.model, found.reason,
        sum(found.calls)::bigint, sum(found.tokens)::bigint, min(found.first_slot),
        max(found.last_slot)
    FROM generate_series(
        date_trunc('day', (SELECT min(slot) FROM cells WHERE tenant_id = {TENANT}), 'UTC'),
        (SELECT max(slot) FROM cells WHERE tenant_id = {TENANT}), interval '24 hours'
    ) AS days (day)
    CROSS JOIN LATERAL ({_NO_PRICE} UNION ALL {_NOT_REPORTED}) AS found
    JOIN routes ON routes.tenant_id = {TENANT} AND routes.id = found.route_id
    GROUP BY days.day, routes.provider, routes.model, found.reason
"""  # noqa: S608  # constants

_RATES: Final = f"""
    SELECT day, from_currency, to_currency, rate, source, known_from
    FROM rates WHERE tenant_id = {TENANT} AND known_to IS NULL
"""  # noqa: S608  # constants

_MONTHS: Final = f"""
    SELECT name, starts, ends, state, calendar ->> 'zone', hash
    FROM months WHERE tenant_id = {TENANT}
"""  # noqa: S608  # constants

_JOBS: Final = """
    SELECT job, max(finished_at), max(finished_at) FILTER (WHERE NOT failed),
        max(finished_at) FILTER (WHERE failed),
        (array_agg(complete_until ORDER BY finished_at DESC)
            FILTER (WHERE complete_until IS NOT NULL))[1]
    FROM job_runs GROUP BY job
"""

_COMPLETE: Final = """
    SELECT CASE WHEN count(latest.complete_until) = 2 THEN min(latest.complete_until) END
    FROM (VALUES ('roll'), ('charge')) AS job (name) LEFT JOIN LATERAL (
        SELECT complete_until FROM job_runs WHERE job_runs.job = job.name
        AND complete_until IS NOT NULL ORDER BY finished_at DESC LIMIT 1
    ) AS latest ON true
"""

BOOK_VIEWS: Final = (
    View(
        "pool_hours",
        "What each settled hour of each pool cost, and how much of it nobody used: as"
        " GET /v1/pools/{id}?by=hour. Of days and months: add them up.",
        (
            Column("hour", _STAMP, "Its start: an hour of UTC."),
            Column("pool", "text", "What the pool is called."),
            Column("kind", "text", "rented, owned, provisioned or subscription."),
            Column("provider", "text", "What its idle line shows as provider."),
            Column("region", "text", "Where it is, where it is told."),
            Column("currency", "text", "Of its costs."),
            Column("cost", _AMOUNT, "All of the hour: idle_cost + used_cost."),
            Column("billed_cost", _AMOUNT, "Of it, what is on somebody's invoice."),
            Column("idle_cost", _AMOUNT, "What no call used."),
            Column("used_cost", _AMOUNT, "What calls were charged."),
            Column("work_units", "numeric(38,6)", "What was done, in the pool's measure."),
            Column("capacity", "numeric(38,6)", "What it could do; NULL: not declared."),
            Column("in_flight_seconds", "numeric(38,6)", "That calls took, together."),
            Column("method", "text", "By which the hour was split."),
            Column("settled_at", _STAMP, "When it was split last."),
        ),
        _POOL_HOURS,
    ),
    View(
        "prices_in_force",
        "Price lines that are valid now, as known now: contract lines win over the list, the list"
        " over the supplement.",
        (
            Column("price_id", "bigint", "As in /v1/prices."),
            Column("book", "text", "contract, list or supplement."),
            Column("provider", "text", "Who bills."),
            Column("model", "text", "As the book has it."),
            Column("region", "text", "Empty: any without a line of its own."),
            Column("service_tier", "text", "Empty: any without a line of its own."),
            Column("meter", "text", "What is priced: input, output, cache_read, …"),
            Column("above_tokens", "integer", "Holds for calls with a larger prompt."),
            Column("above_monthly", "bigint", "Holds for what is used above so much in a month."),
            Column("unit_price", "numeric(20,6)", "What 1,000,000 units cost."),
            Column("currency", "text", "Of the price."),
            Column("valid_from", _STAMP, "From when on."),
            Column("valid_to", _STAMP, "Until when; NULL: no end is known."),
            Column("source", "text", "Where it is from."),
        ),
        _PRICES,
    ),
    View(
        "unpriced_by_day",
        "What was called and has no price, by day (UTC), model and reason: as"
        " GET /v1/prices/unpriced. What the jobs have not looked at is not in it.",
        (
            Column("day", "date", "When it was called, UTC."),
            Column("provider", "text", "Who would bill; NULL: not told."),
            Column("model", "text", "As it was called; NULL: not told."),
            Column("reason", "text", "no price, or usage not reported."),
            Column("calls", "bigint", "Calls of unknown cost; 0: a metric told of tokens alone."),
            Column(
                "tokens", "bigint", "Of the quarter hours' calls; 0 where nothing was reported."
            ),
            Column("first_slot", _STAMP, "Quarter hour of the day's first."),
            Column("last_slot", _STAMP, "Quarter hour of the day's last."),
        ),
        _UNPRICED,
    ),
    View(
        "exchange_rates",
        "Exchange rates as known now: what one unit of a currency is in another on a day.",
        (
            Column("day", "date", "The day that whoever published it dates it by."),
            Column("from_currency", "text", "One unit of this …"),
            Column("to_currency", "text", "… is rate units of this."),
            Column("rate", "numeric(20,10)", "How many."),
            Column("source", "text", "Where it is from."),
            Column("known_from", _STAMP, "When it was entered."),
        ),
        _RATES,
    ),
    View(
        "months",
        "Periods of the ledger's calendar that somebody has closed, softly or for good. Others are"
        " open.",
        (
            Column("name", "text", "2026-10, or FY2027-P02."),
            Column("starts", _STAMP, "Its first moment."),
            Column("ends", _STAMP, "Its end, not included."),
            Column("state", "text", "closed, soft-closed, or open again."),
            Column("timezone", "text", "Whose days it is made of."),
            Column("hash", "text", "Of what it was closed with; NULL: it is not closed."),
        ),
        _MONTHS,
    ),
    View(
        "jobs",
        "When each job ran last.",
        (
            Column("job", "text", "What it is called."),
            Column("last_run", _STAMP, "When it last ended, well or not."),
            Column("last_success", _STAMP, "When it last ended well."),
            Column("last_failure", _STAMP, "When it last failed; NULL: it did not."),
            Column("complete_until", _STAMP, "Everything heard before it has dealt with."),
        ),
        _JOBS,
    ),
    View(
        "complete_until",
        "One row: until when all reports are complete, as every answer of the API says.",
        (
            Column(
                "complete_until",
                _STAMP,
                "Everything heard before is in the numbers; NULL: nobody knows.",
            ),
        ),
        _COMPLETE,
    ),
)
