"""Commitments are declared in files, over the API and by command; nonsense is refused."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from committed import MINIMUM, SAID, settle, shown
from filled_ledger import CLAUDE, GPT, SEARCH, asking, put_charge

from app.commands.commitments import command
from spend.commitments.commitment_files import commitments_of
from spend.written_rows import Row, RowsRefusedError
from store.commitments import commitments
from store.postgres.sessions import Database
from store.tenants import TENANT


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"kind": "promise"}, "kind"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "1,000"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "0.0000001"}, "amount"),
        ({"amount": "1000000000000"}, "amount"),
        ({"paid": "1000.01"}, "paid"),
        ({"paid": "-1"}, "paid"),
        ({"paid": "900", **MINIMUM}, "paid"),
        ({"currency": "EURO"}, "currency"),
        ({"provider": ""}, "provider"),
        ({"provider": "openai;;azure"}, "provider"),
        ({"model": "gpt*5"}, "model"),
        ({"period": "week", **MINIMUM}, "period"),
        ({"period": "month"}, "period"),
        ({"period": "term", **MINIMUM}, "valid_to"),
        ({"valid_from": "2026-10-02", **MINIMUM}, "valid_from"),
        ({"valid_from": "2026-10-01T00:15", **MINIMUM}, "valid_from"),
        ({"valid_from": "2026-10-01T00:00+02:00", **MINIMUM}, "valid_from"),
        ({"valid_from": "2026-10-01T00:20"}, "valid_from"),
        ({"valid_from": "0026-10-01"}, "valid_from"),
        ({"valid_to": "2026-10-01"}, "valid_to"),
        ({"valid_to": "2026-10-15", **MINIMUM}, "valid_to"),
        ({"valid_to": "2026-12-01", "period": "quarter", **MINIMUM}, "valid_to"),
        ({"valid_to": "9998-12-01"}, "valid_to"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_told_by_line_and_field(said: dict[str, str], field: str) -> None:
    with pytest.raises(RowsRefusedError) as refused:
        commitments_of([Row(2, SAID), Row(7, SAID | {"name": "b"} | said)], source="")
    assert [(each.line, each.field) for each in refused.value.refusals] == [(7, field)]


def test_two_of_a_name_at_one_time_are_refused_and_a_renewal_is_not() -> None:
    first = SAID | {"valid_to": "2026-11-01"}
    renewed = SAID | {"valid_from": "2026-11-01"}
    assert len(commitments_of([Row(2, first), Row(3, renewed)], source="")) == 2
    with pytest.raises(RowsRefusedError, match="line 3, valid_from: overlaps what line 2 says"):
        commitments_of([Row(2, SAID), Row(3, renewed)], source="")


@pytest.mark.one_server
def test_the_api_declares_shows_and_withdraws(database: Database) -> None:
    client = asking(database, now="2026-10-11")
    said = SAID | {"paid": "800", "valid_to": "2026-10-21", "model": "gpt-4o"}
    made = client.post("/v1/commitments", json=said)
    assert made.status_code == 201, made.text
    [told] = made.json()["commitments"]
    assert (told["amount"], told["paid"], told["period"]) == ("1000.00", "800.00", "term")
    assert told["match"] == {"provider": ["openai"], "model": ["gpt-4o"]}
    with database.write() as session:
        put_charge(session, "2026-10-03", "100", SEARCH, GPT)
        put_charge(session, "2026-10-03", "7", SEARCH, CLAUDE)
    settle(database, "2026-10-11")
    latest = client.get("/v1/commitments").json()["commitments"][0]["latest"]
    assert latest == {
        "from": "2026-10-01T00:00:00Z",
        "to": "2026-10-21T00:00:00Z",
        "over": False,
        "committed": "1000.00",
        "paid": "800.00",
        "eligible": "100.00",
        "used": "100.00",
        "left": "900.00",
        "effective": "80.00",
        "unused": None,
        "utilisation": "0.10",
        "coverage": "1.00",
        "effective_rate": "0.80",
        "ran_out": None,
        "forecast": {"eligible": "200.00", "used": "200.00", "unused": "640.00", "runs_out": None},
    }
    later = asking(database, now="2026-10-21").get(f"/v1/commitments/{told['id']}").json()
    assert [each["unused"] for each in later["periods"]] == ["720.00"]
    taken = client.post("/v1/commitments", json=[said | {"name": "b"}, said])
    assert (taken.status_code, taken.json()["field"]) == (409, "1.name")
    wrong = client.post("/v1/commitments", json=said | {"name": "c", "amount": "-1"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "amount")
    assert len(client.get("/v1/commitments").json()["commitments"]) == 1
    assert client.delete(f"/v1/commitments/{told['id']}").status_code == 204
    assert client.delete(f"/v1/commitments/{told['id']}").status_code == 404
    assert client.get("/v1/commitments/99").status_code == 404
    settle(database, "2026-10-11")
    assert shown(database, "2026-10")[-1] == ("all", "", "107.00", "0.00", "107.00", "107.00")
    gone = client.get(f"/v1/commitments/{told['id']}").json()
    assert (gone["known_to"], gone["periods"]) == ("2026-10-11T00:00:00Z", [])


@pytest.mark.one_server
def test_a_file_is_taken_whole_or_not_at_all_and_replaces_what_it_said(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    file = tmp_path / "agreed.csv"
    header = "name,kind,amount,currency,provider,valid_from,valid_to\n"

    def taken(*lines: str) -> str:
        file.write_text(header + "\n".join(lines))
        return CliRunner().invoke(command, ["import", str(file)]).output

    assert "no commitments" in CliRunner().invoke(command, ["list"]).output
    bought, minimum = (
        "credits,prepaid,100,USD,openai,2020-01-01,2020-02-01",
        "least,minimum,50,USD,openai,2020-01-01,2020-03-01",
    )
    assert taken(bought, minimum) == "2 declared: credits, least\n"
    with database.write() as session:
        put_charge(session, "2020-01-10", "120", SEARCH, GPT)
    settle(database, "2026-10-01")
    listed = CliRunner().invoke(command, ["list"]).output
    told = [" ".join(line.split()) for line in listed.splitlines()]
    assert told == [
        "1 credits",
        "prepaid, 100.00 USD from 2020-01-01 to 2020-02-01 (UTC)",
        "used up 2020-01-10",
        "used left utilisation coverage unused",
        "100.00 0.00 100.0% 83.3% 0.00",
        "2 least",
        "minimum, 50.00 USD from 2020-02-01 to 2020-03-01 (UTC)",
        "over",
        "0.00 50.00 0.0% 50.00",
    ]
    said = taken(bought.replace("100", "60"), "more,minimum,0,USD,openai,2020-01-02,")
    assert "line 3, amount: must be more than 0" in said
    assert settle(database, "2026-10-01") == 0
    assert taken(bought.replace("100", "60"), minimum) == "1 changed: credits\n1 unchanged: least\n"
    settle(database, "2026-10-01")
    # 60 of credits, 50 of the minimum, 10 beyond them; in February nothing was used.
    months = [shown(database, month)[-1] for month in ("2020-01", "2020-02")]
    assert months == [
        ("all", "", "120.00", "110.00", "120.00", "120.00"),
        ("all", "", "0.00", "0.00", "50.00", "50.00"),
    ]
    with database.read() as session:
        held = commitments.all_commitments(session, TENANT)
    assert [(each.name, each.known_to is None) for each in held] == [
        ("credits", False),
        ("credits", True),
        ("least", True),
    ]
    assert CliRunner().invoke(command, ["withdraw", "77"]).exit_code == 1
    assert "withdrawn: least" in CliRunner().invoke(command, ["withdraw", "2"]).output
