"""Which function measures which kind of alert rule.

Each is called in a savepoint of its own, on a session that may be read-only, and answers one
Measured for each subject it knows of. It raises what it likes: the rule is shown as failing, and
no other is harmed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from spend.alerts.alert_rules import Measured, Rule
from store.watched import (
    anomaly,
    commitment,
    durations,
    error_rate,
    idle_capacity,
    no_data,
    price_drift,
    unpriced,
)

Measure = Callable[[Session, int, Rule, datetime], list[Measured]]
"""Session, tenant, rule, now (UTC) -> what is found of each subject, in no order."""

MEASURES: Final[Mapping[str, Measure]] = {
    "anomaly": anomaly.measure,
    "idle-capacity": idle_capacity.measure,
    "commitment-shortfall": commitment.shortfall,
    "commitment-runs-out": commitment.runs_out,
    "error-rate": error_rate.measure,
    "latency": durations.latency,
    "time-to-first-token": durations.time_to_first_token,
    "no-data": no_data.measure,
    "unpriced": unpriced.measure,
    "price-drift": price_drift.measure,
}
