"""What docs/security.md says is tested, is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


OURS = {
    "store/contents/contents.py",
    "store/archive/day_dropping.py",
    "store/postgres/partitions.py",
    "store/postgres/replica.py",
}
"""They name tables and partitions of ours, which are made of a table and a day; one is constant."""


@pytest.mark.parametrize(
    ("heading", "rows"),
    [("What others learned, as tests", 20), ("What strangers send", 11), ("Scenarios", 11)],
)
def test_each_promise_is_held_by_tests_that_there_are(heading: str, rows: int) -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == rows
    modules = {path.stem: path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    tests = set(re.findall(r"^def (test_\w+)", "\n".join(modules.values()), re.MULTILINE))
    for name, _, held_by in lines:
        named = re.findall(r"`(test_\w+)`", held_by)
        assert named, name
        assert set(named) <= tests | modules.keys(), set(named) - tests - modules.keys()


def test_statements_made_of_text_are_few_and_of_our_own_names() -> None:
    found = {
        f"{path.relative_to(ROOT)}"
        for folder in ("api", "app", "collector", "jobs", "reports", "spend", "store")
        for path in (ROOT / folder).rglob("*.py")
        if "S608" in path.read_text("utf-8")
    }
    assert found <= OURS, "a statement is made of text: give it values beside it"
