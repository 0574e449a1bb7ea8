"""Replays a file of real requests as one team's calls.

The format is that of the Azure LLM inference traces: ``TIMESTAMP,ContextTokens,GeneratedTokens``.
They are published by Microsoft under CC-BY 4.0 (Azure Public Dataset; Patel et al., "Splitwise:
Efficient generative LLM inference using phase splitting", ISCA 2024). The file is not ours and
not in the repository.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.demo.chance import chance_of
from app.demo.company import Rhythm, Speaks, Workload
from app.demo.models import GPT_MINI
from app.demo.traffic import SECOND, Call, Exchange

COMPLETIONS = Workload(
    service="code-completion",
    team="completions",
    project="trace-replay",
    models=((GPT_MINI, 1),),
    speaks=Speaks.OTEL_GENAI,
    rhythm=Rhythm.OFFICE,
    per_working_day=0,
    prompt_tokens=0,
    output_tokens=0,
    features=("completion",),
)
COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]


class NotATraceError(ValueError):
    """The file is not what it should be; the text says in which line, and why."""


def replay(path: Path, *, ends_on: date, seed: int) -> list[Exchange]:
    """The file's requests in order, moved by whole days so that the last is on ``ends_on``.

    Times of the day are kept, read as UTC. Replayed for the same day, it is the same traffic.
    Raises NotATraceError, and OSError where the file cannot be read.
    """
    rows = sorted(_rows(path))
    if not rows:
        raise NotATraceError(f"{path}: no requests in it")
    moved = timedelta(days=(ends_on - rows[-1][0].date()).days)
    return [
        _exchange(at + moved, prompt, output, f"{seed}/trace/{ends_on}/{number}")
        for number, (at, prompt, output) in enumerate(rows)
    ]


def _rows(path: Path) -> Iterator[tuple[datetime, int, int]]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        if next(lines, None) != COLUMNS:
            raise NotATraceError(f"{path}, line 1: expected the columns {','.join(COLUMNS)}")
        for number, line in enumerate(lines, start=2):
            try:
                at, prompt, output = line
                # Seven digits of a second are one more than Python reads.
                moment = datetime.fromisoformat(at[:26]).replace(tzinfo=UTC)
                yield moment, int(prompt), int(output)
            except ValueError as error:
                raise NotATraceError(f"{path}, line {number}: {error}") from None


def _exchange(at: datetime, prompt: int, output: int, key: str) -> Exchange:
    chance = chance_of(key)
    start = int(at.timestamp() * 1_000_000) * 1_000
    waited = GPT_MINI.first_token_s * chance.lognormvariate(0, 0.35) + prompt * 4e-6
    call = Call(
        model=GPT_MINI,
        start_ns=start,
        end_ns=start + int((waited + output / GPT_MINI.tokens_per_s) * SECOND),
        first_token_ns=start + int(waited * SECOND),
        streams=False,
        input=prompt,
        cache_read=0,
        cache_write_5m=0,
        cache_write_1h=0,
        output=output,
        reasoning=0,
        fault=None,
        response_id=f"chatcmpl-{chance.getrandbits(96):024x}",
    )
    return Exchange(key, COMPLETIONS, COMPLETIONS.features[0], None, (call,))
