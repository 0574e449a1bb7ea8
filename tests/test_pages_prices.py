"""Prices on pages: the book as it was known when, and one step from no price to a price."""

import csv
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from types import ModuleType

import pytest
from fastapi.testclient import TestClient
from filled_ledger import SEARCH, SUPPORT, asking, at, put_cell
from httpx2 import Response
from test_api_keys import PEPPER, make_key
from test_pages_preferences import OURS, token

from jobs.charging import charge, reprice
from jobs.context import JobContext
from spend.calls import Route
from spend.prices.prices import LIST, SUPPLEMENT, PriceLine
from store.postgres.sessions import Database
from store.prices import books

pytestmark = pytest.mark.one_server

NOW = "2026-10-20T12:00"
LORA = Route(provider="acme", model="brand/voice 3", deployment="api")
PAIR = {"provider": "acme", "model": "brand/voice 3"}
PLACE = "/prices/unpriced/price"
TERMS = {"currency": "USD", "per": "1000000", "valid_from": "2026-10-12", "reference": "offer 9"}


@pytest.fixture
def client(database: Database) -> TestClient:
    """Calls of a model that no price is for; some from before the price will hold."""
    with database.write() as session:
        for day, owner, calls in (("10", SEARCH, 4), ("12", SEARCH, 3), ("13", SUPPORT, 2)):
            its, said = 1_000_000 * calls, 500_000 * calls
            slot = f"2026-10-{day}"
            put_cell(session, slot, owner, LORA, calls=calls, charged=False, input=its, output=said)
    charge.run(JobContext(database=database, now=at(NOW)))
    return asking(database, now=NOW, key_pepper=PEPPER)


def table(client: TestClient, place: str, name: str, **asked: str) -> list[dict[str, str]]:
    answer = client.get(place, params={**asked, "csv": name})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.text)))


def send(client: TestClient, step: str, **fields: str) -> Response:
    form = token(client, f"{PLACE}?provider=acme&model=brand%2Fvoice+3")
    data = {**PAIR, **TERMS, **fields, "step": step, "form_token": form}
    return client.post(PLACE, data=data, headers=OURS, follow_redirects=False)


def test_what_has_no_price_is_priced_in_one_step(client: TestClient, database: Database) -> None:
    (queued,) = table(client, "/prices/unpriced", "unpriced")
    assert (queued["calls"], queued["tokens"], queued["teams"]) == (
        "9",
        "13500000",
        "search; support",
    )
    assert (queued["first_day"], queued["last_day"]) == ("2026-10-10", "2026-10-13")
    looked = send(client, "look", price_input="1.5", price_output="6")
    assert looked.status_code == 200
    # 5 calls with 5 million tokens of input and 2.5 of output; 4 are from before it holds.
    assert "$22.50" in looked.text
    assert "Nothing is saved yet" in looked.text
    assert table(client, "/prices", "prices", of="all") == []
    saved = send(client, "save", price_input="1.5", price_output="6")
    assert (saved.status_code, saved.headers["location"]) == (303, "/prices/unpriced?done=priced")
    (line,) = table(client, "/prices", "prices")
    assert (line["input"], line["output"], line["book"]) == ("1.50", "6.00", "contract")
    assert (line["reference"], line["entered_by"]) == ("offer 9", "anybody on this machine")
    later = JobContext(database=database, now=at(NOW) + timedelta(minutes=15))
    charge.run(later)
    spent = client.get("/v1/spend?from=2026-10-01&to=2026-11-01").json()["total"]
    assert (spent["cost"], spent["unpriced_calls"]) == ("22.50", 4)
    (queued,) = table(client, "/prices/unpriced", "unpriced")
    assert (queued["calls"], queued["teams"]) == ("4", "search")


def test_a_refused_price_is_shown_again_beside_its_field(client: TestClient) -> None:
    answer = send(client, "save", price_input="1e-6", price_output="6", valid_from="soon")
    assert answer.status_code == 422
    assert "must be written without an exponent" in answer.text
    assert "must be a date or time" in answer.text
    assert 'value="1e-6"' in answer.text
    assert 'value="6"' in answer.text, "nothing is lost"
    assert "Enter the price of one meter" in send(client, "look").text
    finer = send(client, "look", price_input="0.0000001")
    assert "finer than the finest price" in finer.text


def test_prices_of_another_model_are_copied(client: TestClient) -> None:
    send(client, "save", price_input="1.5", price_cache_read="0.15")
    asked = {"provider": "acme", "model": "other", "like": "acme/brand/voice 3"}
    text = client.get(PLACE, params=asked).text
    assert 'name="price_input" type="text" value="1.50"' in text
    assert 'name="price_cache_read" type="text" value="0.15"' in text
    none = client.get(PLACE, params=asked | {"like": "acme/nothing"})
    assert none.status_code == 422
    assert "has no price of it" in none.text


def test_only_an_admin_prices(client: TestClient, database: Database) -> None:
    read = make_key(database, "read")
    text = client.get("/prices/unpriced", headers=read).text
    assert "Entering a price needs the role admin or finance" in text
    assert PLACE not in text
    form = client.get(PLACE, params=PAIR, headers=read).text
    assert "form_token" not in form
    assert client.post(PLACE, data=PAIR, headers={**read, **OURS}).status_code == 403


def test_the_book_is_searched_paged_and_told_as_it_was_known(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(client, "save", price_input="1.5")
    send(client, "save", price_input="1.25", valid_from="2026-10-16")
    asked = {"of": "all", "search": "VOICE acme"}
    assert [row["input"] for row in table(client, "/prices", "prices", **asked)] == ["1.25"]
    then = table(client, "/prices", "prices", **asked, at="2026-10-13")
    assert [(row["input"], row["valid_to"][:10]) for row in then] == [("1.50", "2026-10-16")]
    assert table(client, "/prices", "prices", **asked, known_at="2026-10-19") == []
    assert table(client, "/prices", "prices", **asked, meter="output") == []
    said = [{**PAIR, "model": f"m{n}", "meter": "input", "unit_price": "1"} for n in range(3)]
    terms = {"currency": "USD", "valid_from": "2026-10-01"}
    client.post("/v1/prices", json=[each | terms for each in said])
    monkeypatch.setattr("api.pages.prices.price_book.MODELS_SHOWN", 2)
    first = client.get("/prices?of=all").text
    assert "after_provider=acme&amp;after_model=m0" in first
    rest = table(client, "/prices", "prices", of="all", after_provider="acme", after_model="m0")
    assert [row["model"] for row in rest] == ["m1", "m2"]


def test_a_re_pricing_is_tried_out_then_booked(client: TestClient, database: Database) -> None:
    place = "/prices/repricings"
    form = {"form_token": token(client, place), "from": "2026-10-12", "to": "", "note": "why not"}
    tried = client.post(place, data=form | {"step": "try"}, headers=OURS, follow_redirects=False)
    assert (tried.status_code, tried.headers["location"]) == (303, f"{place}/1")
    shown = client.get(f"{place}/1").text
    assert "waiting" in shown
    assert "why not" in shown
    assert "Book " not in shown, "not before it was tried out"
    wrong = client.post(place, data=form | {"from": "2026-10-32", "step": "try"}, headers=OURS)
    assert wrong.status_code == 422
    assert "write a date such as" in wrong.text
    future = client.post(place, data=form | {"from": "2027-01-01", "step": "try"}, headers=OURS)
    assert future.status_code == 422
    (listed,) = table(client, place, "repricings")
    assert (listed["note"], listed["state"]) == ("why not", "waiting")
    assert client.get(f"{place}/99").status_code == 404
    for job in (charge, reprice):
        job.run(JobContext(database=database, now=at(NOW) + timedelta(minutes=1)))
    (row,) = table(client, f"{place}/1", "by_model")
    assert (row["before"], row["unpriced_before"]) == ("", row["unpriced_after"]), (
        "not known, not 0"
    )


def test_what_was_tried_out_is_booked_from_its_page(client: TestClient, database: Database) -> None:
    def job(module: ModuleType, minutes: int) -> None:
        module.run(JobContext(database=database, now=at(NOW) + timedelta(minutes=minutes)))

    send(client, "save", price_input="1.5", price_output="6")
    job(charge, 1)
    send(client, "save", price_input="1", price_output="6")
    place = "/prices/repricings"
    form = {"form_token": token(client, place), "from": "2026-10-12", "step": "try"}
    client.post(place, data=form, headers=OURS)
    job(reprice, 2)
    tried = client.get(f"{place}/1").text
    assert "\u2212$2.50" in tried, "5 million tokens of input at half a dollar less"
    (sent,) = re.findall(
        r'<form method="post" action="/prices/repricings".*?</form>', tried, re.DOTALL
    )
    its = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', sent.partition("</form>")[0]))
    booked = client.post(place, data=its, headers=OURS)
    assert booked.url.path == f"{place}/2"
    job(reprice, 3)
    assert "booked as corrections" in client.get(f"{place}/2").text
    spent = client.get("/v1/spend?from=2026-10-01&to=2026-11-01").json()["total"]
    assert spent["cost"] == "20.00"


def test_discounts_and_rates_are_listed_as_they_were_known(client: TestClient) -> None:
    assert "No discount was agreed" in client.get("/prices/discounts").text
    assert "No exchange rate is known" in client.get("/prices/rates").text
    assert "There is no second list" in client.get("/prices/discrepancies").text
    said = {"kind": "discount", "provider": "acme", "model": "brand*", "percent": "12.5"}
    client.post("/v1/discounts", json=said | {"valid_from": "2026-10-01"})
    (row,) = table(client, "/prices/discounts", "discounts")
    assert (row["percent"], row["valid_from"][:10]) == ("12.50", "2026-10-01")
    assert table(client, "/prices/discounts", "discounts", at="2026-09-01") == []
    rate = {"from": "EUR", "to": "USD", "date": "2026-10-01", "rate": "1.0850"}
    assert client.post("/v1/rates", json=rate | {"source": "ECB"}).status_code == 201
    (row,) = table(client, "/prices/rates", "rates", from_currency="eur")
    assert (row["rate"], row["day"]) == ("1.085", "2026-10-01")


def listed(price: str, meter: str = "input") -> PriceLine:
    return PriceLine(
        book=LIST,
        provider="acme",
        model="brand/voice 3",
        meter=meter,
        unit_price=Decimal(price),
        currency="USD",
        valid_from=at("2020-01-01"),
        source="a list",
    )


def test_two_lists_are_held_against_each_other(client: TestClient, database: Database) -> None:
    with database.write() as session:
        books.replace_list(session, [listed("2"), listed("8", "output")], now=at(NOW))
        other = replace(listed("2.5"), book=SUPPLEMENT)
        books.replace_list(session, [other], now=at(NOW), book=SUPPLEMENT)
    place = "/prices/discrepancies"
    (row,) = table(client, place, "discrepancies")
    told = (row["list_price"], row["supplement_price"], row["difference"], row["calls"])
    assert told == ("2.00", "2.50", "0.25", "9")
    assert table(client, place, "discrepancies", above="30") == []
    (only,) = table(client, place, "discrepancies", state="single-source")
    assert (only["meter"], only["supplement_price"]) == ("output", "")
