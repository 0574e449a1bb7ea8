"""What a soak found, as a table and as JSON."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

from faults.oracle import Oracle, Verdict
from rich.console import Console
from rich.table import Table

COLUMNS = ("made", "acknowledged", "lost", "doubled", "told busy", "retried", "SDK gave up")


def figures(oracle: Oracle) -> dict[str, dict[str, int]]:
    """By fault, those of COLUMNS."""
    return {
        name: {
            "made": chapter.made,
            "acknowledged": chapter.acknowledged,
            "lost": chapter.lost,
            "doubled": chapter.doubled,
            "told busy": sum(
                count for reason, count in chapter.refused.items() if reason.startswith("503")
            ),
            "retried": chapter.retried,
            "SDK gave up": chapter.given_up,
        }
        for name, chapter in oracle.chapters.items()
    }


def show(oracle: Oracle, verdict: Verdict, skipped: dict[str, str]) -> None:
    table = Table("fault", *COLUMNS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    rows = figures(oracle)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[column]:,}" for column in COLUMNS))
    total = {column: sum(row[column] for row in rows.values()) for column in COLUMNS}
    table.add_row("together", *(f"{total[column]:,}" for column in COLUMNS), style="bold")
    console = Console(width=140)
    console.print(table)
    for name, why in skipped.items():
        console.print(f"not made: {name}: {why}")
    console.print(
        f"calls: {verdict.calls:,} sent, {verdict.acknowledged:,} acknowledged,"
        f" {verdict.stored:,} stored, {verdict.lost:,} lost, {verdict.doubled:,} doubled,"
        f" {verdict.invented:,} invented, {verdict.wrong:,} with wrong tokens"
    )
    for promise, times in oracle.broken.items():
        console.print(f"BROKEN ({times}): {promise}", style="red")
    if not oracle.broken:
        console.print("no promise broke")


def write(
    path: Path,
    oracle: Oracle,
    verdict: Verdict,
    skipped: dict[str, str],
    *,
    seed: int,
    minutes: float,
) -> None:
    written = {
        "seed": seed,
        "minutes": round(minutes, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "faults": figures(oracle),
        "happened": {name: dict(chapter.fired) for name, chapter in oracle.chapters.items()},
        "answers": {name: dict(chapter.refused) for name, chapter in oracle.chapters.items()},
        "verdict": asdict(verdict),
        "skipped": skipped,
        "broken": dict(oracle.broken),
    }
    path.write_text(json.dumps(written, indent=2) + "\n")
