"""The table of emitters in ``docs/dialects.md``, from the truths beside the captures.

    python tests/emitters.py

writes it anew.
"""

from pathlib import Path
from typing import Final

from truths import TRUTHS

PAGE: Final = Path(__file__).parent.parent / "docs" / "dialects.md"
BEGINS, ENDS = "<!-- from tests/vectors: python tests/emitters.py -->\n", "<!-- to here -->\n"
HOW: Final = {"captured": "captured", "written": "written from its source"}


def table() -> str:
    """One row for each emitter and version, with all that its scenarios cannot tell."""
    lost: dict[tuple[str, str, str], list[str]] = {}
    for truth in TRUTHS.values():
        row = lost.setdefault((truth.emitter, truth.version, HOW[truth.how]), [])
        row.extend(part for part in truth.cannot_tell.split("; ") if part and part not in row)
    lines = [
        "| emitter | version | how heard | what it cannot tell |",
        "|---|---|---|---|",
        *(
            f"| {emitter} | {version} | {how} | {'; '.join(row)} |".replace("|  |", "| |")
            for (emitter, version, how), row in sorted(lost.items())
        ),
    ]
    return "".join(f"{line}\n" for line in lines)


def within(page: str) -> tuple[str, str, str]:
    """What stands before the table, the table, and what stands behind it."""
    before, rest = page.split(BEGINS)
    here, behind = rest.split(ENDS)
    return before + BEGINS, here, ENDS + behind


if __name__ == "__main__":
    before, _, behind = within(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(before + table() + behind, encoding="utf-8")
