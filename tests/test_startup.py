"""A process loads what it works with, and no more."""

import subprocess
import sys

HELP = """
from click.testing import CliRunner
from app.cli import cli
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
"""
WORKER = "import app.collector_worker"
PARENT = "import app.commands.collector"


def loaded_by(script: str) -> set[str]:
    """The modules that a Python of its own holds after a script."""
    script = f"import sys\n{script}\nprint(*sys.modules)"
    done = subprocess.run(  # noqa: S603  # the test's own script, with this Python
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    return set(done.stdout.split())


def test_help_waits_for_no_library_but_that_of_the_command_line() -> None:
    modules = loaded_by(HELP)
    assert "click" in modules
    assert not modules & {"sqlalchemy", "psycopg", "pydantic", "pyarrow", "pandas", "fastapi"}


def test_a_collector_loads_nothing_of_the_jobs_and_the_api() -> None:
    modules = loaded_by(WORKER)
    assert "pyarrow" in modules
    others = {"api", "jobs", "reports", "fastapi", "apscheduler", "genai_prices"}
    # pyarrow would load pandas by itself; senders wait for a worker that starts.
    assert not modules & (others | {"pandas", "alembic"})
    # Our own traces are off unless somebody wants them.
    assert not modules & {"opentelemetry.sdk", "opentelemetry.trace", "app.telemetry.provider"}


def test_who_watches_over_workers_does_not_weigh_as_much_as_one() -> None:
    assert not loaded_by(PARENT) & {"pyarrow", "grpc", "uvicorn", "pandas"}
