"""The reference tells all that there is: what is added without it fails here."""

from pathlib import Path

import click
import pytest

from app.cli import Commands
from app.reference.commands import commands_page
from app.reference.markdown import NotDescribedError
from app.reference.pages import all_pages
from app.reference.settings import settings_page
from app.settings import Settings

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
HOW = "the code says otherwise: make reference"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(all_pages())


def test_the_reference_is_what_the_code_says(pages: dict[str, str]) -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    assert written.keys() == pages.keys(), HOW
    assert [name for name, text in pages.items() if written[name] != text] == [], HOW


def test_a_setting_that_is_added_is_missed(pages: dict[str, str]) -> None:
    class More(Settings):
        """And one more."""

        colour: bool = Settings.model_fields["spool"]

    assert "| `COLOUR` |" in settings_page(More)
    assert settings_page(More) != pages["settings.md"]


def test_a_setting_without_a_description_is_refused() -> None:
    class More(Settings):
        """And one more."""

        colour: bool = True

    with pytest.raises(NotDescribedError, match="COLOUR"):
        settings_page(More)


class OneMore(Commands):
    """Our command line, and a command that nobody has told of."""

    added: click.Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), "paint"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.added if cmd_name == "paint" else super().get_command(ctx, cmd_name)


def test_a_command_and_an_option_that_are_added_are_missed(pages: dict[str, str]) -> None:
    line = OneMore("spanledger")
    line.added = click.Command("paint", help="Paint it.")
    without = commands_page(line)
    assert "## spanledger paint" in without
    assert without != pages["commands.md"]
    line.added.params.append(click.Option(["--colour"], help="Which one."))
    assert commands_page(line) != without


@pytest.mark.parametrize(
    ("command", "who"),
    [
        (click.Command("paint"), "spanledger paint"),
        (
            click.Command("paint", help="Paint.", params=[click.Option(["--colour"])]),
            "spanledger paint --colour",
        ),
    ],
)
def test_a_command_or_option_without_a_description_is_refused(
    command: click.Command, who: str
) -> None:
    with pytest.raises(NotDescribedError, match=who):
        commands_page(click.Group("spanledger", commands=[command]))
