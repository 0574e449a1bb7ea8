"""Expects what the present period of each budget will come to, for thresholds of forecasts."""

from jobs.context import Done, JobContext
from store.budgets import budgets, forecasts
from store.budgets.outlooks import present_outlooks
from store.tenants import TENANT


def run(context: JobContext) -> Done:
    """One round over all budgets, at ``context.now``: the same statements for one or a thousand."""
    with context.database.read() as session:
        held = budgets.all_in_force(session, TENANT, context.now)
        found, present = present_outlooks(session, TENANT, held, context.now)
    made = {
        (budget_id, present[budget_id].start): outlook.forecast
        for budget_id, outlook in found.items()
        if outlook.forecast is not None
    }
    with context.database.write() as session:
        forecasts.put(session, TENANT, made)
        forecasts.keep_only(session, TENANT, made)
    counts = {"budgets": len(held), "forecasts": len(made)}
    return Done(f"{len(held)} budgets, {len(made)} forecasts", counts=counts)
