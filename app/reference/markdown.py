"""Tables and words of the reference, as GitHub draws them."""

import re
from collections.abc import Iterable, Sequence


class NotDescribedError(Exception):
    """Something that people use says nothing of itself: describe it where it is defined."""


def described(text: str | None, what: str) -> str:
    """The text on one line. Raises NotDescribedError where there is none."""
    told = " ".join((text or "").split())
    if not told:
        raise NotDescribedError(f"{what} has no description")
    return told


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table. A column in which no row says anything is left out."""
    filled = [list(row) for row in rows]
    kept = [number for number in range(len(headings)) if any(row[number] for row in filled)]
    lines = [
        [headings[number] for number in kept],
        ["---"] * len(kept),
        *([_cell(row[number]) for number in kept] for row in filled),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(title: str, about: str, *parts: str) -> str:
    """A whole page, which says what it is written by."""
    made = "<!-- Written from the code by `make reference`: change it there. -->"
    return "\n\n".join([made, f"# {title}", about, *parts]) + "\n"


def code(text: object) -> str:
    """As code; nothing where there is nothing."""
    told = str(text)
    return f"`{told}`" if told else ""


def anchor(heading: str) -> str:
    """Where a link to a heading leads."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def _cell(text: str) -> str:
    return " ".join(re.sub(r"(?<!\\)\|", r"\\|", text).split())
