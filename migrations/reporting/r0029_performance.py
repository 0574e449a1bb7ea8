"""How calls went, by hour, and their durations: what /v1/performance answers, as views."""

from typing import Final

from migrations.reporting.r0029_shared import (
    DIMENSIONS,
    OWNER,
    ROUTE,
    TENANT,
    named,
    paid_for,
    payer_of,
)
from migrations.reporting.views import SCHEMA, Column, Function, View

GAMMA: Final = "1.0151133501259446::double precision"
"""Of spend/histograms.py: the ratio of a bucket's bounds."""
_MEASURES: Final = {"latency": 1, "ttft": 2}
_OUTCOMES: Final = (
    *("other", "rate_limited", "overloaded", "server_error", "bad_request", "denied"),
    *("timeout", "cancelled", "unreachable"),
)
"""Names of outcomes 1 to 9; 1 is an error that said nothing more."""
_SHARES: Final = {"p50": "0.5", "p90": "0.9", "p95": "0.95", "p99": "0.99"}


def _middle(bucket: str) -> str:
    """The duration (milliseconds) that stands for a bucket."""
    return (
        f"CASE WHEN {bucket} = 0 THEN 0.001::double precision"
        f" ELSE 2 * power({GAMMA}, {bucket}) / ({GAMMA} + 1) / 1000 END"
    )


FUNCTIONS: Final = (
    Function(
        "percentile",
        "buckets smallint[], calls bigint[], share double precision",
        "double precision",
        "The duration in milliseconds that a share of calls do not exceed, within 1 %: of rows of"
        " reporting.durations, as percentile(array_agg(bucket), array_agg(calls), 0.95). NULL: no"
        " calls.",
        f"""
        SELECT {_middle("bucket")} FROM (
            SELECT bucket, sum(many) OVER (ORDER BY bucket) AS seen, sum(many) OVER () AS total
            FROM (
                SELECT bucket, sum(many) AS many
                FROM unnest(buckets, calls) AS one (bucket, many) GROUP BY bucket
            ) AS each
        ) AS ranked
        WHERE seen > floor(share * (total - 1)) AND total > 0 ORDER BY bucket LIMIT 1
        """,  # noqa: S608  # constants
    ),
)

_NAMES: Final = (OWNER[0], ROUTE[0], ROUTE[1], ROUTE[4])
_COUNTS: Final = (
    *("calls", "errors", "timed_output", "timed_output_us", "input", "cached"),
    *_OUTCOMES,
)


def _of_cells() -> str:
    inputs = "input + cache_read + cache_write + cache_write_5m + cache_write_1h"
    sums = {
        "calls": "calls",
        "errors": "CASE WHEN outcome <> 0 THEN calls ELSE 0 END",
        "timed_output": "timed_output",
        "timed_output_us": "timed_output_us",
        "input": inputs,
        "cached": "cache_read",
        **{
            name: f"CASE WHEN outcome = {number} THEN calls ELSE 0 END"
            for number, name in enumerate(_OUTCOMES, 1)
        },
    }
    told = ", ".join(f"sum({sums[name]}) AS {name}" for name in _COUNTS)
    return (
        f"SELECT {payer_of('cells')} AS payer_id, route_id, {told},"  # noqa: S608  # constants
        " NULL::smallint AS measure, NULL::smallint AS bucket, NULL::bigint AS many"
        f" FROM cells {paid_for('cells')} WHERE cells.tenant_id = {TENANT}"
        " AND slot >= hours.hour AND slot < hours.hour + interval '1 hour' GROUP BY 1, 2"
    )


def _of_buckets() -> str:
    return (
        f"SELECT {payer_of('buckets')}, route_id, {', '.join('0' for _name in _COUNTS)}, measure,"  # noqa: S608  # constants
        f" bucket, sum(calls)::bigint FROM buckets {paid_for('buckets')}"
        f" WHERE buckets.tenant_id = {TENANT} AND slot >= hours.hour"
        " AND slot < hours.hour + interval '1 hour'"
        f" GROUP BY 1, 2, measure, bucket"
    )


def _percentiles(measure: str) -> str:
    which = f"FILTER (WHERE measure = {_MEASURES[measure]})"
    arrays = f"array_agg(bucket) {which}, array_agg(many) {which}"
    return ", ".join(f"{SCHEMA}.percentile({arrays}, {share})" for share in _SHARES.values())


# Hour by hour, so that a bound of the hours is a bound of what is read.
_BY_HOUR: Final = f"""
    SELECT hour, team, provider, model, deployment, sum(calls)::bigint, sum(errors)::bigint,
        {", ".join(f"sum({name})::bigint" for name in _OUTCOMES)},
        {_percentiles("latency")}, {_percentiles("ttft")},
        sum(timed_output)::bigint, (sum(timed_output_us) / 1000000)::numeric(38, 6),
        sum(input)::bigint, sum(cached)::bigint
    FROM (
        SELECT hours.hour, part.* FROM generate_series(
            date_trunc('hour', (SELECT min(slot) FROM cells WHERE tenant_id = {TENANT}), 'UTC'),
            (SELECT max(slot) FROM cells WHERE tenant_id = {TENANT}),
            interval '1 hour'
        ) AS hours (hour) CROSS JOIN LATERAL ({_of_cells()} UNION ALL {_of_buckets()}) AS part
    ) AS every {named("every")}
    GROUP BY hour, team, provider, model, deployment HAVING sum(calls) > 0
"""  # noqa: S608  # constants

_DURATIONS: Final = f"""
    SELECT timed.slot, {DIMENSIONS}, timed.measure, timed.bucket, {_middle("timed.bucket")},
        timed.calls
    FROM (
        SELECT slot, {payer_of("buckets")} AS payer_id, route_id,
            CASE measure WHEN 1 THEN 'latency' ELSE 'ttft' END AS measure, bucket, calls
        FROM buckets {paid_for("buckets")}
        WHERE buckets.tenant_id = {TENANT} AND calls <> 0
    ) AS timed {named("timed")}
"""  # noqa: S608  # constants


def _percentile_columns(measure: str, said: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{measure}_{name}_ms", "double precision", f"{said} {name[1:]} % of calls.")
        for name in _SHARES
    )


PERFORMANCE_VIEWS: Final = (
    View(
        "performance_by_hour",
        "How calls went by hour (UTC), team, provider, model and deployment. As GET"
        " /v1/performance. Percentiles of several rows cannot be added: for other groups ask"
        " reporting.durations.",
        (
            Column("hour", "timestamp with time zone", "Its start."),
            *_NAMES,
            Column("calls", "bigint", "Requests to a model."),
            Column("errors", "bigint", "Calls that did not end well: the sum of the next nine."),
            *(
                Column(f"errors_{name}", "bigint", f"Of errors, those of the kind {name}.")
                for name in _OUTCOMES
            ),
            *_percentile_columns("latency", "From request to end of answer, at most, of"),
            *_percentile_columns("ttft", "From request to first token, at most, of"),
            Column("timed_output_tokens", "bigint", "Output of calls whose duration is known."),
            Column(
                "timed_output_seconds",
                "numeric(38,6)",
                "How long those took together: tokens a second are the one by the other.",
            ),
            Column("prompt_tokens", "bigint", "All tokens of prompts, cached or not."),
            Column("cached_tokens", "bigint", "Of these, those that came from a cache."),
        ),
        _BY_HOUR,
    ),
    View(
        "durations",
        "How long calls took, as counts in logarithmic buckets by quarter hour: percentiles of any"
        " group are reporting.percentile(array_agg(bucket), array_agg(calls), 0.95). Always say a"
        " time of slot: all of it is read.",
        (
            Column("slot", "timestamp with time zone", "Quarter hour of the calls: its start."),
            *OWNER,
            *ROUTE,
            Column("measure", "text", "latency (to the end of the answer) or ttft (first token)."),
            Column("bucket", "smallint", "Which bucket."),
            Column("ms", "double precision", "The bucket's middle in milliseconds, within 1 %."),
            Column("calls", "bigint", "How many calls."),
        ),
        _DURATIONS,
    ),
)
