"""The reference tells all that there is: what is added without it fails here."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

import click
import pytest
from fastapi import Query
from pydantic import Field
from sqlalchemy import Column, MetaData, Table, Text

from app.cli import Commands
from app.reference.commands import commands_page
from app.reference.dialects import dialects_page
from app.reference.markdown import NotDescribedError, anchor
from app.reference.metrics import metrics_page
from app.reference.pages import DOORS, all_pages, described_api, who_may
from app.reference.routes import api_page
from app.reference.settings import settings_page
from app.reference.shapes import shapes_page
from app.reference.tables import tables_page
from app.reference.views import views_page
from app.settings import Settings
from collector.dialects import DIALECTS
from collector.dialects.table import Dialect
from jobs.exporting.exported_metrics import EXPORTED
from migrations.reporting.newest import FUNCTIONS, VIEWS
from migrations.reporting.views import Column as ViewColumn
from migrations.reporting.views import View
from spend.metric_names import Metric
from store.tables import METADATA

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
HOW = "the code says otherwise: make reference"
_HEADS = ("---", "+++", "@@")


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return described_api().openapi()


@pytest.fixture(scope="module")
def pages(contract: dict[str, Any]) -> dict[str, str]:
    return dict(all_pages(contract))


def test_the_reference_is_what_the_code_says(pages: dict[str, str]) -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    assert written.keys() == pages.keys(), HOW
    told = "\n".join(changed(written, pages))
    assert not told, f"{HOW}\n{told}"


def changed(written: Mapping[str, str], pages: Mapping[str, str]) -> Iterator[str]:
    """Each line that is missing (+) or should not be there (-), with its page."""
    for name, text in pages.items():
        lines = unified_diff(written[name].split("\n"), text.split("\n"), n=0, lineterm="")
        yield from (f"{name}: {line}" for line in lines if not line.startswith(_HEADS))


def test_a_link_to_a_heading_leads_to_one_place(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        anchors = Counter(map(anchor, re.findall(r"^#+ (.+)$", text, re.MULTILINE)))
        assert [each for each, times in anchors.items() if times > 1] == [], name


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


def test_a_setting_of_many_values_says_what_it_takes() -> None:
    class More(Settings):
        """And one more."""

        colours: dict[str, int] | None = Field(default=None, description="Which ones.")

    with pytest.raises(TypeError, match="say what dict"):
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


def one_more_table(**said: Any) -> MetaData:
    copy = MetaData()
    for each in METADATA.tables.values():
        each.to_metadata(copy)
    Table("paints", copy, Column("colour", Text, primary_key=True, **said), info={"doc": "Paints."})
    return copy


def test_a_table_and_a_column_that_are_added_are_missed(pages: dict[str, str]) -> None:
    assert "### paints" in tables_page(one_more_table(doc="Which one."))
    assert tables_page(one_more_table(doc="Which one.")) != pages["tables.md"]
    wider = one_more_table(doc="Which one.")
    wider.tables["cells"].append_column(Column("colour", Text, doc="Which one."))
    assert tables_page(wider).count("| `colour` |") == 2


def test_a_table_or_column_without_a_description_is_refused() -> None:
    with pytest.raises(NotDescribedError, match=r"paints\.colour"):
        tables_page(one_more_table())
    copy = one_more_table(doc="Which one.")
    copy.tables["paints"].info.clear()
    with pytest.raises(NotDescribedError, match="the table paints"):
        tables_page(copy)


def test_a_view_that_is_added_is_missed(pages: dict[str, str]) -> None:
    of_colours = ViewColumn("colour", "text", "Which one.")
    more = View("paints", "Paints.", (of_colours,), "SELECT 1")
    assert "## reporting.paints" in views_page([*VIEWS, more], FUNCTIONS)
    assert views_page([*VIEWS, more], FUNCTIONS) != pages["views.md"]
    with pytest.raises(NotDescribedError, match=r"paints\.colour"):
        views_page([replace(more, columns=(replace(of_colours, description=""),))], ())


@pytest.mark.parametrize("door", DOORS)
def test_a_metric_that_is_added_is_missed(pages: dict[str, str], door: str) -> None:
    more = Metric("spanledger_paints", "gauge", "Paints that there are.")
    told = metrics_page({**DOORS, door: (*DOORS[door], more)}, EXPORTED)
    assert told.count("`spanledger_paints`") == 1
    assert told != pages["metrics.md"]
    with pytest.raises(NotDescribedError, match="spanledger_paints"):
        metrics_page({door: (replace(more, help=""),)}, EXPORTED)


def test_an_exported_metric_that_is_added_is_missed(pages: dict[str, str]) -> None:
    more = replace(EXPORTED[0], name="spanledger.paints")
    assert metrics_page(DOORS, (*EXPORTED, more)) != pages["metrics.md"]
    with pytest.raises(NotDescribedError, match=r"spanledger\.paints"):
        metrics_page(DOORS, (replace(more, description=""),))


def test_a_dialect_and_an_attribute_that_are_added_are_missed(pages: dict[str, str]) -> None:
    more = Dialect("paint", who="Painters.", columns={"input": ("paint.tokens",)})
    assert "| `input` | `paint.tokens` |" in dialects_page([*DIALECTS, more])
    first, *others = DIALECTS
    wider = replace(first, own={"input": ("paint.tokens",)})
    assert dialects_page([wider, *others]) != pages["dialects.md"]
    with pytest.raises(NotDescribedError, match="the dialect paint"):
        dialects_page([replace(more, who="")])


def test_a_route_and_a_parameter_that_are_added_are_missed(pages: dict[str, str]) -> None:
    app = described_api()

    @app.get("/v1/paints", tags=["prices"], summary="Paints", description="All of them.")
    def paints(colour: Annotated[str, Query(description="Which one.")]) -> None:
        del colour

    allowed = who_may() + "\n| `/v1/paints` | reader |  |\n"
    told = api_page(app.openapi(), allowed)
    assert "### GET /v1/paints" in told
    assert "| `colour` | text, required | Which one. |" in told
    assert told != pages["api.md"]
    with pytest.raises(NotDescribedError, match=r"GET /v1/paints in docs/routes\.md"):
        api_page(app.openapi(), who_may())


def test_what_a_body_must_say_is_required_and_what_an_answer_says_is_not(
    contract: dict[str, Any],
) -> None:
    told = {part.partition("\n")[0]: part for part in shapes_page(contract).split("\n## ")}
    assert "required" in told["NewRate"]
    assert "required" not in told["AlertAnswer"] + told["BillWithSums"]


def test_every_route_stands_in_the_reference(pages: dict[str, str]) -> None:
    allowed = re.findall(r"^\| `(/[^`]*)` \|.*\|.*\|$", who_may(), re.MULTILINE)
    assert allowed
    assert [path for path in allowed if f"{path}`" not in pages["api.md"]] == []


def test_a_variable_that_an_option_is_read_from_is_told(pages: dict[str, str]) -> None:
    assert "Or the variable `SPANLEDGER_API_URL`." in pages["commands.md"]


def test_a_route_or_a_field_without_a_description_is_refused(contract: dict[str, Any]) -> None:
    contract = deepcopy(contract)
    del contract["paths"]["/v1/spend"]["get"]["description"]
    with pytest.raises(NotDescribedError, match="GET /v1/spend"):
        api_page(contract, who_may())
    contract["components"]["schemas"]["SpendRow"]["properties"]["colour"] = {"type": "string"}
    with pytest.raises(NotDescribedError, match=r"SpendRow\.colour"):
        shapes_page(contract)
