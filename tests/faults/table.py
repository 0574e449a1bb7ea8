"""What a soak found, as a table and as JSON."""

import json
import os
import platform
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from faults.found import Found, Row
from faults.oracle import is_an_error
from rich.console import Console
from rich.table import Table

COLUMNS = (
    "made", "acknowledged", "lost", "doubled", "500s", "told busy", "retried", "SDK gave up",
)  # fmt: skip


def figures(found: Found) -> dict[str, dict[str, int]]:
    """By fault, those of COLUMNS."""
    return {
        name: {
            "made": chapter.made,
            "acknowledged": chapter.acknowledged,
            "lost": chapter.lost,
            "doubled": chapter.doubled,
            "500s": chapter.errors.total(),
            "told busy": sum(
                count for reason, count in chapter.refused.items() if reason.startswith("503")
            ),
            "retried": chapter.retried,
            "SDK gave up": chapter.given_up,
        }
        for name, chapter in found.oracle.chapters.items()
    }


def in_all(found: Found) -> list[str]:
    """What it comes to, in sentences."""
    verdict, chapters = found.verdict, found.oracle.chapters.values()
    answered = {
        status: sum(chapter.asked[status] for chapter in chapters)
        for status in sorted({status for chapter in chapters for status in chapter.asked})
    }
    faults = sum(chapter.made for chapter in chapters)
    tests = sum(each.inputs for each in found.proofs.values())
    fuzzed = sum(inputs for inputs, _ in found.fuzzed.values())
    errors = sum(chapter.errors.total() for chapter in chapters)
    contract = found.contract or Counter()
    errors += sum(count for status, count in contract.items() if is_an_error(status))
    api = ", ".join(f"{status}: {count:,}" for status, count in answered.items())
    told = [
        (
            f"{faults} faults; {verdict.calls:,} calls sent, {verdict.acknowledged:,} acknowledged,"
            f" {verdict.stored:,} stored, {verdict.lost:,} lost, {verdict.doubled:,} doubled,"
            f" {verdict.invented:,} invented, {verdict.wrong:,} with wrong tokens."
        ),
        f"{errors:,} answers of 500; the API answered {api or 'nothing'}.",
        (
            f"{tests:,} cases and examples of tests, {fuzzed:,} inputs of fuzzing;"
            f" {contract.total():,} requests that the contract of the API allows"
            " or forbids."
        ),
    ]
    return told + [
        f"{each['what']}: {each['at first']} -> {each['at last']}"
        for each in found.growth or ()
        if each["grows"]
    ]


def show(found: Found) -> None:
    console = Console(width=160)
    table = Table("fault", *COLUMNS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    rows = figures(found)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[column]:,}" for column in COLUMNS))
    table.add_row("together", *(f"{count:,}" for count in together(rows)), style="bold")
    console.print(table)
    scenarios = Table("#", "scenario", *SHOWN, box=None, pad_edge=False)
    reached = [row for row in found.rows() if row.verdict != "not reached"]
    for each in reached:
        style = "red" if each.verdict.startswith("BROKEN") else None
        scenarios.add_row(str(each.number), each.what, *cells(each), style=style)
    console.print(scenarios)
    console.print(f"{len(found.rows()) - len(reached)} scenarios were not reached")
    for line in in_all(found):
        console.print(line)
    for promise, times in found.oracle.broken.items():
        console.print(f"BROKEN ({times}): {promise}", style="red")
    if not found.oracle.broken:
        console.print("no promise broke")


SHOWN = ("tried", "inputs", "lost", "doubled", "500s", "verdict")


def cells(row: Row) -> list[str]:
    counts = [f"{count:,}" for count in (row.inputs, row.lost, row.doubled, row.errors)]
    return [row.made, *counts, row.verdict]


def together(rows: dict[str, dict[str, int]]) -> list[int]:
    return [sum(row[column] for row in rows.values()) for column in COLUMNS]


def write(path: Path, found: Found, *, seed: int, minutes: float) -> None:
    """``soak.json``, and beside it ``soak.md``: the tables as the documents have them."""
    oracle = found.oracle
    written = {
        "seed": seed,
        "minutes": round(minutes, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(each, 1) for each in os.getloadavg()],
        "scenarios": [asdict(row) for row in found.rows()],
        "faults": figures(found),
        "happened": {name: dict(chapter.fired) for name, chapter in oracle.chapters.items()},
        "answers": {name: dict(chapter.refused) for name, chapter in oracle.chapters.items()},
        "errors": {name: dict(chapter.errors) for name, chapter in oracle.chapters.items()},
        "growth": found.growth,
        "contract": found.contract,
        "verdict": asdict(found.verdict),
        "skipped": found.skipped,
        "broken": dict(oracle.broken),
    }
    path.write_text(json.dumps(written, indent=2) + "\n")
    path.with_suffix(".md").write_text(markdown(found, seed=seed, minutes=minutes))


def markdown(found: Found, *, seed: int, minutes: float) -> str:
    """Ready to stand in docs/reliability.md."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    lines = [
        (
            f"Seed {seed}, {minutes:.1f} minutes with the judging, on {os.cpu_count()} cores"
            f" (load at the end {load}); Python {platform.python_version()}."
        ),
        "",
        *(line for told in in_all(found) for line in (told, "")),
        *(f"**BROKEN ({times}): {why}**\n" for why, times in found.oracle.broken.items()),
        "| # | scenario | tried | inputs | lost | doubled | 500s | verdict |",
        "|--:|---|---|--:|--:|--:|--:|---|",
        *(f"| {row.number} | {row.what} | {' | '.join(cells(row))} |" for row in found.rows()),
        "",
        (
            "| fault | made | spans acknowledged | lost | doubled | 500s | told to come again (503)"
            " | requests tried again | spans that an exporter gave up |"
        ),
        "|---" + "|--:" * len(COLUMNS) + "|",
    ]
    rows = figures(found)
    for name, row in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{row[column]:,}' for column in COLUMNS)} |")
    counts = " | ".join(f"**{count:,}**" for count in together(rows))
    return "\n".join([*lines, f"| **together** | {counts} |"]) + "\n"
