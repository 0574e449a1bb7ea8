"""``spanledger demo``: everything on this machine, and a simulated company that uses it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from app import serve
from app.demo.replay import NotATraceError, replay
from app.demo.run import Demo, Wishes
from app.demo.traffic import Exchange
from app.logs import configure_logs
from app.settings import Settings, read_settings


@click.command(
    short_help="Run everything, and a simulated company that uses it",
    epilog="\b\nExample:\n  SPANLEDGER_DATA_DIR=/tmp/demo spanledger demo --weeks 8",
)
@click.option(
    "--weeks",
    type=click.IntRange(0, 52),
    default=4,
    show_default=True,
    help="Weeks of history before today.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    help="Times the usual traffic, about 45,000 calls in four weeks.",
)
@click.option(
    "--seed", type=int, default=7, show_default=True, help="Another seed, another history."
)
@click.option("--live/--no-live", default=True, show_default=True, help="Go on with live traffic.")
@click.option(
    "--pace",
    type=click.FloatRange(0, 1000),
    default=10.0,
    show_default=True,
    help="How much busier live traffic is than history.",
)
@click.option("--once", is_flag=True, help="Stop when the history is in.")
@click.option(
    "--trace",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV of the Azure LLM inference traces (github.com/Azure/AzurePublicDataset,"
    " CC-BY 4.0), replayed as yesterday's calls of a team of its own.",
)
@click.pass_context
def command(
    context: click.Context,
    weeks: int,
    scale: float,
    seed: int,
    live: bool,
    pace: float,
    once: bool,
    trace: Path | None,
) -> None:
    """Run everything on this machine, and a simulated company that uses it.

    Six teams call models of OpenAI, Anthropic, Google, Mistral, Cerebras and Groq, and Llama and
    Mistral on GPUs that they rent. Some weeks of history go through the public OTLP door with the
    real OpenTelemetry SDK, then live traffic until Ctrl-C. The same seed gives the same company:
    started again, it repeats what was sent (nothing counts twice), fills the gap, and goes on.

    What it makes up never meets real calls: unless SPANLEDGER_DATA_DIR or SPANLEDGER_DATABASE_URL
    says otherwise it keeps a ledger of its own, in the folder "demo" of the usual one.
    """
    configure_logs("demo")
    wishes = Wishes(
        weeks=weeks, scale=scale, seed=seed, live=live, pace=pace, once=once,
        trace=_replayed(trace, seed) if trace else (),
    )  # fmt: skip
    settings = in_a_folder_of_its_own(read_settings())
    _ask_this_machine_itself()
    demo = Demo(settings, wishes)
    code = serve.run(settings, alongside=demo.run)
    context.exit(code or int(demo.failed))


def in_a_folder_of_its_own(settings: Settings) -> Settings:
    """The ledger cannot forget: a made-up company in a real one would stay there."""
    if settings.database_url or "data_dir" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"data_dir": settings.data_dir / "demo"})


def _ask_this_machine_itself() -> None:
    """A proxy for the world does not know this machine, and the exporter asks whichever is set."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    if known == "*":
        return
    spared = ",".join([*([known] if known else []), "127.0.0.1", "localhost"])
    os.environ.update(no_proxy=spared, NO_PROXY=spared)


def _replayed(trace: Path, seed: int) -> tuple[Exchange, ...]:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    try:
        return tuple(replay(trace, ends_on=yesterday, seed=seed))
    except (NotATraceError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--trace") from error
