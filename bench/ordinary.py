"""How fast spans pass that are no calls: nine of ten in a real trace."""

from bench.bodies import calls, ordinary
from bench.loads import loaded, warm_up
from bench.plan import Plan
from bench.running import collector, empty_database
from bench.table import Row


def measure(plan: Plan) -> list[Row]:
    """Calls and ordinary spans, one after the other, through the same worker."""
    seconds = plan.seconds / 2
    with empty_database(plan.server) as url, collector(url, workers=plan.workers) as running:
        found = []
        for name, templates in (("calls", calls(plan.tokens)), ("ordinary spans", ordinary())):
            warm_up(plan, running, templates)
            plan.say(f"{name} for {seconds:g} s")
            found.append(loaded(plan, running, templates, seconds=seconds))
    call, other = found
    by_cpu = call.collector_us / other.collector_us
    return [
        Row(
            "ordinary",
            "spans that are no calls, of calls",
            other.sent.spans_a_second / call.sent.spans_a_second,
            "x",
            f"{other.sent.spans_a_second:,.0f}/s of {call.sent.spans_a_second:,.0f}/s; collector "
            f"CPU {other.collector_us:.1f} µs of {call.collector_us:.1f} ({by_cpu:.1f} x less)",
            at_least=3,
            details={
                "by_cpu": by_cpu,
                "ordinary_a_second": other.sent.spans_a_second,
                **{f"ordinary_{name}": took for name, took in other.where_time_goes.items()},
                **{f"call_{name}": took for name, took in call.where_time_goes.items()},
            },
        )
    ]
