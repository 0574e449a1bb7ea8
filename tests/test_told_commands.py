"""Commands that documents and the doctor tell to type: each exists, with each of its options."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from app.cli import cli

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TYPED = re.compile(r"^(?:\$ )?(?:\w+=\S+ )*(?:\.venv/bin/)?(spanledger(?: [a-z-].*)?)$")


def blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def told(document: Path) -> list[list[str]]:
    """The arguments of each command in a document's blocks, after ``spanledger``."""
    lines = "\n".join(blocks(document.read_text("utf-8"))).replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        if typed := TYPED.match(line.strip()):
            words = shlex.split(typed[1], comments=True)[1:]
            ends = [
                words.index(each) for each in ("|", ">", "&", "&&", ";", "2>&1") if each in words
            ]
            found.append(words[: min(ends, default=len(words))])
    return found


def advised() -> list[list[str]]:
    """The arguments of each command that the doctor and the canary name, after ``spanledger``."""
    sources = [
        each for of in ("examination", "canary") for each in (ROOT / "app" / of).glob("*.py")
    ]
    texts = [
        each.value
        for source in sources
        for each in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
    names = cli.list_commands(click.Context(cli))
    return [
        typed.split()
        for text in texts
        for typed in re.findall(r"spanledger ([a-z][^;:,.]*)", text)
        if typed.split()[0] in names
    ]


def options(words: list[str]) -> tuple[list[str], list[click.Parameter]] | None:
    """What follows a command's name, and what it takes; None where there is no such command."""
    context = click.Context(cli, info_name="spanledger")
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return None
        command = found
        context = click.Context(command, info_name=rest.pop(0), parent=context)
    return rest, command.get_params(context)


def lacking(words: list[str]) -> list[str]:
    """Options that a command wants and that are not written, where others are."""
    rest, parameters = options(words) or ([], [])
    if not any(word.startswith("--") for word in rest):
        return []
    return [
        each.opts[0]
        for each in parameters
        if isinstance(each, click.Option) and each.required and not {*each.opts} & {*rest}
    ]


def unknown(words: list[str]) -> list[str]:
    """What of a command's words is no command and no option."""
    found = options(words)
    if found is None:
        return words[:2]
    rest, parameters = found
    known = {"--help", "-h"} | {
        name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)
    }
    return [
        word
        for word in rest
        if word.startswith("--") and word != "--" and word.partition("=")[0] not in known
    ]


@pytest.mark.parametrize(
    "document",
    [each for each in DOCUMENTS if told(each)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_commands_that_a_document_tells_to_type_exist(document: Path) -> None:
    wrong = {" ".join(words): unknown(words) for words in told(document)}
    assert {words: each for words, each in wrong.items() if each} == {}


def test_a_command_or_an_option_that_is_none_is_found() -> None:
    assert unknown(["months", "close", "2026-10", "--by", "ann"]) == []
    assert unknown(["months", "shut", "2026-10"]) == ["months", "shut"]
    assert unknown(["months", "close", "2026-10", "--gently"]) == ["--gently"]


def test_what_the_doctor_and_the_canary_advise_runs_as_it_stands() -> None:
    assert len(advised()) > 20
    wrong = {" ".join(words): unknown(words) + lacking(words) for words in advised()}
    assert {words: each for words, each in wrong.items() if each} == {}


def test_an_option_that_is_wanted_and_not_written_is_found() -> None:
    assert lacking(["channels", "add", "--default"]) == ["--name", "--kind"]
