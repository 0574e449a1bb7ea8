"""What we are made of is pinned by hash, names no address, and is told in a bill of materials."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
LISTS: Final = sorted((ROOT / "requirements").glob("*.txt"))


def pinned(path: Path) -> dict[str, set[str]]:
    """Each requirement of a list, ``name==version``, with its hashes."""
    lines = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    return {line.split()[0]: set(re.findall(r"--hash=sha256:(\w+)", line)) for line in lines}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_requirement_is_one_version_with_its_hashes_and_no_address(path: Path) -> None:
    found = pinned(path)
    assert found
    for requirement, hashes in found.items():
        assert re.fullmatch(r"[\w.-]+==[\w.]+", requirement), requirement
        assert hashes, requirement
        assert {len(each) for each in hashes} == {64}
    text = path.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index|--extra|--find|--trusted|-e)\b", text, re.MULTILINE)


def test_what_is_installed_is_asked_by_its_hash() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8")
    installs = [line for line in recipe.splitlines() if "pip install" in line]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line


def test_the_bill_of_materials_has_every_requirement_of_the_server(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\nsbom:")[1].split("\n\n")[0]
    command = recipe.splitlines()[1].partition("$(BIN)/python")[2].split()
    out = tmp_path / "sbom.cdx.json"
    command[command.index("sbom.cdx.json")] = str(out)
    # The command itself refuses what the standard's schema does not allow (--validate).
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)  # noqa: S603  # our own
    made = json.loads(out.read_text("utf-8"))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    ours = made["metadata"]["component"]
    assert (ours["name"], ours["licenses"][0]["license"]["id"]) == ("spanledger", "Apache-2.0")
    assert ours["version"]
    told = {
        f"{each['name']}=={each['version']}": {
            one["content"] for place in each["externalReferences"] for one in place["hashes"]
        }
        for each in made["components"]
    }
    assert told == pinned(ROOT / "requirements" / "run.txt")


def test_an_audit_that_could_not_ask_is_no_audit() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\naudit:")[1].split("\n\n")[0]
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(recipe.split())
    assert "exit 1" in recipe
    assert "requirements/*.txt" in recipe
