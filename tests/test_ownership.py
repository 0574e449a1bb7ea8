"""Who pays: rules by date and in order, versions, and a ledger that follows by corrections."""

import pytest
from filled_ledger import LLAMA, SEARCH, SUPPORT, asking, at, put_cell
from owned import NOW, apply, lines, moved, paid, price, rules, run, use
from sighted import hear, sighting
from sqlalchemy import func, select

from jobs import roll
from jobs.context import JobContext
from spend.calls import Owner
from spend.capacity.pool_files import pool_of_fields
from store.access.keys import create_key
from store.capacity import pools
from store.ownership import ownership
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tables.ownership import payers
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def fill(database: Database) -> None:
    """October: search spends 10 on each day of 16 to 18, support 50 on the 17th."""
    price(database)
    for day in ("16", "17", "18"):
        for time in ("00:00", "23:45"):
            use(database, f"2026-10-{day}T{time}", SEARCH, 5, calls=2)
    use(database, "2026-10-17T12:00", SUPPORT, 50)
    run(database)


def test_a_reorganisation_on_the_17th_splits_on_the_17th(database: Database) -> None:
    fill(database)
    apply(database, rules(moved("search", "discovery", from_="2026-10-17")))
    run(database)
    assert paid(database) == {"search": 10, "discovery": 20, "support": 50}
    assert paid(database, "owner_id") == {"search": 30, "support": 50}
    with asking(database) as client:
        answer = client.get("/v1/spend?from=2026-10-16&to=2026-10-19&group_by=team,day").json()
    told = {(row["team"], row["day"]): (row["cost"], row["calls"]) for row in answer["rows"]}
    assert told == {
        ("search", "2026-10-16"): ("10.00", 4),
        ("discovery", "2026-10-17"): ("10.00", 4),
        ("discovery", "2026-10-18"): ("10.00", 4),
        ("support", "2026-10-17"): ("50.00", 1),
    }


def test_a_date_is_its_first_moment_in_the_zone_of_the_file(database: Database) -> None:
    fill(database)
    moves = moved("search", "discovery", from_="2026-10-17")
    apply(database, rules(moves, timezone="Europe/Berlin"))
    run(database)
    assert paid(database) == {"search": 5, "discovery": 25, "support": 50}


def test_the_first_rule_that_fits_decides(database: Database) -> None:
    fill(database)
    apply(
        database,
        rules(
            moved("search", "first", to="2026-10-17"),
            moved("search", "second", to="2026-10-18"),
            moved("s*", "third"),
        ),
    )
    run(database)
    assert paid(database) == {"first": 10, "second": 10, "third": 60}


def test_untagged_spend_is_mapped_by_what_else_is_known(database: Database) -> None:
    nobody = Owner(team="unallocated", service="batch-embedder", environment="production")
    price(database)
    use(database, "2026-10-17", nobody, 2)
    use(database, "2026-10-17", Owner(team="unallocated"), 3)
    mapped = {
        "name": "batch",
        "match": {"team": ["unallocated"], "service": ["batch-*"]},
        "gives": {"team": "data", "project": "embeddings"},
    }
    apply(database, rules(mapped))
    run(database)
    assert paid(database) == {"data": 2, "unallocated": 3}
    with asking(database) as client:
        found = client.get("/v1/spend?group_by=team,project,service&from=2026-10-01&to=2026-11-01")
    told = [(row["team"], row["project"], row["service"]) for row in found.json()["rows"]]
    assert told == [("unallocated", None, None), ("data", "embeddings", "batch-embedder")]


def test_nothing_is_posted_twice_and_nothing_is_lost(database: Database) -> None:
    fill(database)
    before = paid(database)
    apply(database, rules(moved("search", "discovery", from_="2026-10-17")))
    assert run(database) == "0 cells, 8 lines"
    posted = lines(database)
    assert run(database) == "0 cells, 0 lines"
    assert lines(database) == posted
    assert sum(paid(database).values()) == sum(before.values())


def test_without_the_rules_the_old_numbers_are_back_and_the_corrections_stay(
    database: Database,
) -> None:
    fill(database)
    before, count = paid(database), lines(database)
    apply(database, rules(moved("search", "discovery")))
    run(database)
    apply(database, rules())
    run(database)
    assert paid(database) == before
    assert lines(database) > count
    with database.read() as session:
        kinds = session.execute(
            select(charges.c.kind, func.sum(charges.c.amount)).group_by(charges.c.kind)
        )
        assert {row[0]: row[1] for row in kinds} == {"original": 80, "correction": 0}
        assert session.scalar(select(func.count()).select_from(payers)) == 0


def test_versions_are_kept_and_the_same_file_is_none(database: Database) -> None:
    first = apply(database, rules(moved("search", "discovery")), at("2026-11-01"))
    assert apply(database, rules(moved("search", "discovery")), at("2026-11-02")) == first
    apply(database, rules(), at("2026-11-03"))
    with database.read() as session:
        told = [
            (each.version, each.known_from, each.known_to, len(each.said.rules), each.entered_by)
            for each in ownership.versions(session, TENANT)
        ]
    assert told == [
        (2, at("2026-11-03"), None, 0, "finance"),
        (1, at("2026-11-01"), at("2026-11-03"), 1, "finance"),
    ]


def test_an_owner_who_is_heard_later_pays_by_the_rules(database: Database) -> None:
    apply(database, rules(moved("search*", "discovery")))
    run(database)
    use(database, "2026-10-17", Owner(team="search-eu"), 3, calls=3)
    run(database)
    with asking(database) as client:
        row = client.get("/v1/spend?group_by=team&from=2026-10-01&to=2026-11-01").json()["rows"]
    assert [(each["team"], each["calls"]) for each in row] == [("discovery", 3)]


def test_a_key_of_one_team_sees_what_its_team_pays_for(database: Database) -> None:
    hear(
        database,
        [
            sighting(1, 1, owner=SEARCH, start_at=at("2026-10-16T12:00")),
            sighting(2, 2, owner=SEARCH, start_at=at("2026-10-17T12:00")),
        ],
    )
    roll.run(JobContext(database=database, now=NOW, by_hand=True))
    apply(database, rules(moved("search", "discovery", from_="2026-10-17")))
    run(database)
    pepper = b"sixteen bytes and more"
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind="read",
            name="test",
            team="discovery",
            pepper=pepper,
            now=NOW,
        )
    october = {"from": "2026-10-01", "to": "2026-11-01"}
    with asking(database, key_pepper=pepper) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.get("/v1/spend", params=october).json()["total"]["calls"] == 1
        went = client.get("/v1/performance", params=october).json()
        assert [row["calls"] for row in went["rows"]] == [1]
        listed = client.get("/v1/calls", params=october).json()["calls"]
        shown = client.get(f"/v1/calls/{2:032x}/{2:016x}").json()
        assert client.get(f"/v1/calls/{1:032x}/{1:016x}").status_code == 404
        assert client.get("/v1/ownership").status_code == 403
        assert client.post("/v1/ownership/preview", json={"rules": []}).status_code == 403
    for call in (*listed, shown):
        assert (call["owner"]["team"], call["payer"]["team"]) == ("search", "discovery")
        assert call["payer"]["rule"] == "ownership rule search to discovery"
    assert len(listed) == 1


def test_shares_of_a_pool_pass_to_who_pays_and_idle_stays(database: Database) -> None:
    declared = pool_of_fields(
        {
            "name": "llama",
            "cost_per_hour": "10",
            "from": "2026-11-02T11:00:00Z",
            "to": "2026-11-02T12:00:00Z",
            "match": {"provider": ["vllm"]},
            "capacity_per_hour": "1000",
        },
        currency="USD",
        now=NOW,
    )
    with database.write() as session:
        pools.declare(session, TENANT, declared)
        put_cell(session, "2026-11-02T11:00", SEARCH, LLAMA, charged=False, input=200)
    apply(database, rules(moved("search", "discovery"), moved("*", "everybody")))
    run(database)
    assert paid(database) == {"discovery": 2, "idle": 8}
    with database.write() as session:
        put_cell(session, "2026-11-02T11:15", SEARCH, LLAMA, charged=False, input=300)
    run(database)
    apply(database, rules(moved("search", "found", from_="2026-11-02T11:15:00Z")))
    run(database)
    assert paid(database) == {"search": 2, "found": 3, "idle": 5}
    assert run(database) == "0 cells, 0 lines"


def test_budgets_and_statements_go_by_who_pays(database: Database) -> None:
    fill(database)
    apply(database, rules(moved("search", "discovery", from_="2026-10-17")))
    run(database)
    with asking(database, now="2026-10-20T12:00") as client:
        made = client.post(
            "/v1/budgets",
            json={"name": "d", "amount": "100", "filter": {"team": ["discovery"]}},
        ).json()
        assert client.get(f"/v1/budgets/{made['id']}/status").json()["spent"] == "20.00"
        teams = client.get("/v1/statements/2026-10").json()["teams"]
    assert [(each["team"], each["amount"]) for each in teams] == [
        ("support", "50.00"),
        ("discovery", "20.00"),
        ("search", "10.00"),
    ]
