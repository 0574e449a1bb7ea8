"""Budgets as a file: what is exported can be imported, and is taken whole or not at all."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filled_ledger import at
from hypothesis import given, settings
from hypothesis import strategies as st

from app import channel_secrets
from app.commands.budgets import command
from spend.budgets.budget_fields import fields_of_terms
from spend.budgets.budget_files import BudgetFileRefusedError, file_of, text_of
from spend.budgets.budgets import DIMENSIONS
from spend.channels.channels import Checks
from spend.fiscal import FiscalYear
from store.access.secrets import Seal
from store.budgets import budgets
from store.budgets.budget_names import Names, Usual, terms_said
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

USUAL = Usual("USD", "UTC", FiscalYear(), checks=Checks(lambda *_: ()), seal=Seal(b""))
NOBODY = Names({}, {}, {})

_LINES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
_VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_PERCENTS = st.lists(st.integers(101, 10_000), max_size=4, unique=True)
_PERIODS = st.one_of(
    st.sampled_from(["day", "year", "fiscal-quarter"]).map(lambda kind: {"period": kind}),
    st.fixed_dictionaries(
        {
            "period": st.just("custom"),
            "own_period": st.fixed_dictionaries(
                {
                    "starts_on": st.dates(date(2000, 1, 1), date(2998, 1, 1)).map(str),
                    "days": st.integers(1, 99),
                }
            ),
        }
    ),
)
SAID = st.builds(
    lambda fields, period: fields | period,
    st.fixed_dictionaries(
        {
            "name": _LINES,
            "filter": st.dictionaries(
                st.sampled_from([each for each in DIMENSIONS if each != "deployment"]),
                st.lists(_VALUES, min_size=1, max_size=3),
                max_size=3,
            ),
            "amount": st.decimals(0, 10**9, places=3).map(str),
        },
        optional={
            "currency": st.sampled_from(["EUR", "JPY"]),
            "timezone": st.sampled_from(["Asia/Kathmandu", "Australia/Lord_Howe"]),
            "thresholds": _PERCENTS,
            "forecast_thresholds": _PERCENTS,
            "pace_thresholds": _PERCENTS,
            "rollover_cap": st.integers(0, 10**6),
            "owner": _LINES,
            "remind_hours": st.integers(1, 100),
        },
    ),
    _PERIODS,
)


@given(SAID, st.booleans())
@settings(max_examples=80, deadline=None)
def test_what_is_exported_says_the_same_when_it_is_imported(
    said: dict[str, Any],
    toml: bool,  # as it is passed on
) -> None:
    terms = terms_said(said, NOBODY, USUAL)
    written = text_of([NOBODY.fields(terms)], [], toml=toml)
    found = file_of(written, toml=toml).budgets or ()
    assert [terms_said(each.fields, NOBODY, USUAL) for each in found] == [terms]
    assert fields_of_terms(terms) == fields_of_terms(terms_said(found[0].fields, NOBODY, USUAL))


FILE = """
[[budgets]]
name = "search"
parent = "research"
filter = { team = ["search"], feature = ["chat"] }
amount = 100.50
own_period = { starts_on = 2026-11-02, days = 14 }
period = "custom"
rollover_cap = "20"

[[budgets]]
name = "research"
filter = { team = ["search", "ads"] }
amount = "1000"
thresholds = [50, 100]
webhook_url = "https://hooks.slack.com/services/T0/B0/abcd1234"

[[alert_rules]]
name = "errors"
kind = "error-rate"
over = "5"
"""


@pytest.fixture
def folder(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_KEY_PEPPER", "a" * 40)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(channel_secrets, "addresses_of", lambda *_: ["34.1.2.3"])
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def imported(folder: Path, text: str, *more: str, form: str = "toml") -> Result:
    file = folder / f"budgets.{form}"
    file.write_text(text)
    return run("import", str(file), *more)


def names(database: Database) -> list[str]:
    with database.read() as session:
        held = budgets.all_in_force(session, TENANT, at("2100-01-01"))
        return sorted(each.terms.name for each in held)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("form", ["toml", "json"])
def test_import_after_export_changes_nothing(folder: Path, form: str) -> None:
    made = imported(folder, FILE)
    assert made.exit_code == 0, made.output
    assert "2 budgets created" in made.output
    written = run("export", "--format", form).output
    assert "abcd" not in written
    assert "…1234" in written
    again = imported(folder, written, "--close-missing", form=form)
    assert again.output == "1 alert rule unchanged\n2 budgets unchanged\n"
    assert run("export", "--format", form).output == written


def test_a_dry_run_tells_what_would_change_and_changes_nothing(
    folder: Path, database: Database
) -> None:
    imported(folder, FILE)
    changed = FILE.replace('"1000"', '"2000"').replace('"search"\nparent', '"find"\nparent')
    told = imported(folder, changed, "--close-missing", "--dry-run").output
    assert "research  amount   1000.00  2000.00" in told
    assert "1 budget would be closed" in told
    assert names(database) == ["research", "search"]
    imported(folder, changed, "--close-missing")
    assert names(database) == ["find", "research"]


def test_a_file_may_turn_a_family_around(folder: Path, database: Database) -> None:
    """What is checked is what the file makes, not each step on the way."""
    imported(folder, FILE)
    turned = FILE.replace('["search", "ads"]', '["maps"]').replace('["search"]', '["maps"]')
    turned = turned.replace('name = "research"\n', 'name = "research"\ncurrency = "EUR"\n')
    turned = turned.replace('name = "search"\n', 'name = "search"\ncurrency = "EUR"\n')
    done = imported(folder, turned)
    assert done.exit_code == 0, done.output
    assert "2 budgets changed" in done.output
    assert names(database) == ["research", "search"]


MISTAKES = [
    ('"1000"', '"1,000"', "budgets 2 (line 11), amount: a number such as"),
    ('parent = "research"', 'parent = "other"', "budgets 1 (line 2), parent: no budget"),
    ("thresholds", "tresholds", "budgets 2 (line 11), tresholds: unknown field"),
    ("[50, 100]", "[50.5]", "thresholds.0: must be of whole numbers"),
    ('["search", "ads"]', '["ads"]', "budgets 1 (line 2), filter.team: its parent"),
    ('["search", "ads"]', '"ads"', "filter.team: must be a list of texts"),
    ('"research"\nfilter', '"search"\nfilter', "'search' stands at budgets 1 (line 2) too"),
    ("https://hooks.slack.com/services/T0/B0/abcd1234", "…1234", "webhook_url: the end of a"),
    ("2026-11-02", '"soon"', "own_period.starts_on: a day such as 2026-11-01"),
    ("days = 14", "days = 14, ends_on = 2026-12-01", "own_period.days: one of the two"),
    ('"error-rate"', '"mood"', "alert_rules 1 (line 18), kind: 'mood' is not one of"),
    ('over = "5"', 'over = "5"\nchannels = ["x"]', "channels: no channel 'x'"),
    ("[[alert_rules]]", "[[rules]]", "file, rules: unknown"),
    ("[[alert_rules]]", "[[alert_rules]", "file: not TOML"),
]


def test_a_file_with_a_mistake_is_refused_whole(folder: Path, database: Database) -> None:
    for was, becomes, told in MISTAKES:
        assert was in FILE
        refused = imported(folder, FILE.replace(was, becomes))
        assert refused.exit_code == 1
        assert "nothing was taken from budgets.toml" in refused.output
        assert told in refused.output
        assert names(database) == []


@pytest.mark.usefixtures("database")
def test_what_a_json_file_says_twice_is_refused_as_in_toml() -> None:
    for text in (
        '{"budgets": [{"name": "a", "filter": {}, "amount": "1", "amount": "2"}]}',
        '{"budgets": [], "budgets": []}',
    ):
        with pytest.raises(BudgetFileRefusedError, match="said twice"):
            file_of(text, toml=False)


def test_a_file_that_nobody_wrote_by_hand_is_not_read(folder: Path) -> None:
    large = folder / "large.toml"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    for verb in ("import", "preview"):
        told = run(verb, str(large))
        assert (told.exit_code, "is larger than" in told.output) == (1, True), told.output


def test_a_budget_that_is_to_change_is_not_changed_by_a_file(folder: Path) -> None:
    imported(folder, FILE)
    assert (
        run("change", "research", "--amount", "9", "--effective-from", "2100-01-01").exit_code == 0
    )
    assert "2 budgets unchanged" in imported(folder, FILE).output
    refused = imported(folder, FILE.replace('"1000"', '"7"'))
    assert "version 2 is to hold from 2100-01-01" in refused.output
    assert run("change", "research", "--withdraw").exit_code == 0
    assert "1 budget changed" in imported(folder, FILE.replace('"1000"', '"7"')).output


def test_json_says_the_same_and_its_numbers_are_exact() -> None:
    said = file_of('{"budgets": [{"name": "a", "filter": {}, "amount": 0.1}]}', toml=False)
    assert [each.fields["amount"] for each in said.budgets or ()] == ["0.1"]
    for wrong in ("[]", "{}", '{"budgets": {}}', '{"budgets": [1]}', "{", '{"budgets": [{}]}'):
        with pytest.raises(BudgetFileRefusedError):
            file_of(wrong, toml=False)
    assert json.loads(text_of([], [], toml=False)) == {}
