"""What documents tell to set and to write: variables that are read, files that can be."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import unknown_settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "sdk/README.md"])
HOW_TOS = sorted([*(ROOT / "docs/how-to").glob("*.md"), ROOT / "docs/instrument.md"])
VARIABLE = re.compile(r"SPANLEDGER_[A-Z]+(?:_[A-Z]+)*\b(?!_)")
BLOCK = re.compile(r"^```(python|json|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
READERS: dict[str, Callable[[str], object]] = {
    "python": lambda text: compile(text, "a how-to", "exec"),
    "json": json.loads,
    "toml": tomllib.loads,
}


def told(text: str) -> set[str]:
    """The variables of ours that a text names; ``SPANLEDGER_FISCAL_…`` is none, but several."""
    return set(VARIABLE.findall(text))


def deployed() -> set[str]:
    """What the files of ``deploy/`` ask whoever starts them for."""
    files = (path for path in (ROOT / "deploy").rglob("*") if path.is_file())
    return {
        name
        for path in files
        for name in re.findall(r"\$\{(SPANLEDGER_[A-Z_]+)", path.read_text("utf-8", "ignore"))
    }


def test_variables_of_ours_that_documents_name_are_read_by_somebody() -> None:
    named = {name for document in DOCUMENTS for name in told(document.read_text("utf-8"))}
    assert len(named) > 30
    assert unknown_settings(dict.fromkeys(named - deployed(), "")) == []


def test_a_variable_that_nobody_reads_is_found() -> None:
    assert told("`SPANLEDGER_FISCAL_…`, SPANLEDGER_ENDPIONT=x") == {"SPANLEDGER_ENDPIONT"}
    assert unknown_settings({"SPANLEDGER_ENDPIONT": ""}) != []


@pytest.mark.parametrize("document", HOW_TOS, ids=lambda path: path.name)
def test_programs_and_files_in_a_how_to_can_be_read(document: Path) -> None:
    wrong = {}
    for kind, text in BLOCK.findall(document.read_text("utf-8")):
        try:
            READERS[kind](text)
        except (ValueError, SyntaxError) as error:
            wrong[text] = str(error)
    assert wrong == {}
