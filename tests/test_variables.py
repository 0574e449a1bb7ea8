"""No variable of the environment is read that no document tells of."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import OF_CLIENTS, OF_THE_SDK, PREFIX

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "app", "collector", "jobs", "migrations", "reports", "sdk", "spend", "store")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
DOCUMENTS = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "sdk/README.md"]
NAMED_BY_ARGUMENTS = {"app/channel_secrets.py", "sdk/spanledger/instrumentations.py"}
"""Who reads a variable that somebody else names: an option of a command, a constant of a caller."""


def read_in(source: str) -> Iterator[str | None]:
    """Each variable that a module reads by itself; None: one that is no constant there."""
    # Most read none, and to parse all of them takes seconds.
    tree = ast.parse(source if re.search("environ|getenv|envvar", source) else "")
    constants = dict(
        found
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for found in _constant(node)
    )
    for node in ast.walk(tree):
        for name in _named(node):
            if isinstance(name, ast.Name) and name.id in constants:
                yield constants[name.id]
            else:
                yield name.value if _is_text(name) else None  # type: ignore[attr-defined]  # a constant


def _constant(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, str]]:
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    if isinstance(target, ast.Name) and _is_text(node.value):
        yield target.id, node.value.value  # type: ignore[union-attr]  # a constant


def _named(node: ast.AST) -> Iterator[ast.expr]:
    """What names a variable here."""
    match node:
        case ast.Call(func=ast.Attribute(value=whose, attr="get" | "pop"), args=[name, *_]):
            if _is_environment(whose):
                yield name
        case ast.Call(func=ast.Attribute(attr="getenv") | ast.Name(id="getenv"), args=[name, *_]):
            yield name
        case ast.Subscript(value=whose, slice=name, ctx=ast.Load()) if _is_environment(whose):
            yield name
        case ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[whose]):
            if _is_environment(whose):
                yield name
        case ast.keyword(arg="envvar", value=name):
            yield name


def _is_environment(node: ast.expr) -> bool:
    return ast.unparse(node) in {"os.environ", "environ"}


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize(
    "reading",
    [
        'os.environ.get("PAINT")',
        'os.environ["PAINT"]',
        'os.getenv("PAINT", "red")',
        'COLOUR: Final = "PAINT"\nenviron.get(COLOUR)',
        'known = "PAINT" in os.environ',
        'click.option("--paint", envvar="PAINT")',
    ],
)
def test_a_variable_is_found_however_it_is_read(reading: str) -> None:
    assert list(read_in(reading)) == ["PAINT"]


def test_a_variable_that_is_read_stands_in_a_document_and_the_doctor_knows_ours() -> None:
    told = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in DOCUMENTS)))
    known = {f"{PREFIX}{name}" for name in OF_THE_SDK | OF_CLIENTS}
    every: set[str] = set()
    for path in MODULES:
        module = path.relative_to(ROOT).as_posix()
        for name in read_in(path.read_text("utf-8")):
            if name is None:
                assert module in NAMED_BY_ARGUMENTS, f"{module}: name the variable by a constant"
                continue
            every.add(name)
            assert name in told, f"{module} reads {name}: no document tells of it"
            assert not name.startswith(PREFIX) or name in known, (
                f"{module} reads {name}: make it a setting (app/settings.py), or have the doctor "
                "know it (OF_CLIENTS)"
            )
    assert every >= known, "they are read by nobody"
