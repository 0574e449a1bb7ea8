"""What the jobs' process tells at GET /metrics of JOBS_ADDR, where that is set."""

from typing import Final

from spend.metric_names import (
    BUILD_INFO,
    CERTIFICATES,
    DATABASE_UP,
    OWN_SPANS_LOST,
    PROCESS,
    Metric,
)

RUNS: Final = Metric(
    "spanledger_job_runs_total",
    "counter",
    "Runs of jobs by this process, by how they ended: done, failed, or away (no Postgres).",
    ("job_name", "outcome"),
)
DURATION: Final = Metric(
    "spanledger_job_duration_seconds", "histogram", "How long these runs took.", ("job_name",)
)
RUNNING: Final = Metric(
    "spanledger_job_running", "gauge", "1 while this process runs the job, else 0.", ("job_name",)
)
HEARTBEAT: Final = Metric(
    "spanledger_jobs_heartbeat_timestamp_seconds",
    "gauge",
    "When the clock of this process last ticked (UTC): every second while it lives.",
)

METRICS: Final = (
    BUILD_INFO,
    DATABASE_UP,
    *CERTIFICATES,
    OWN_SPANS_LOST,
    RUNS,
    DURATION,
    RUNNING,
    HEARTBEAT,
    *PROCESS,
)
