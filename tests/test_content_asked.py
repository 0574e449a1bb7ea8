"""What was said in calls, as whoever may read it is told; others that it is not theirs."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from spans import RECEIVED, call, request

from api.app import create_app
from api.settings import ApiSettings
from app.commands.content import command
from collector.signals import Signal
from collector.understanding.by_signal import understand_signal
from collector.understanding.content import Keeping
from spend.contents.contents import Content, ContentTerms
from spend.contents.conversations import turns_of
from store.access.keys import create_key
from store.contents.content_policies import policy_of, set_policy
from store.dictionaries import Known
from store.intake.intake import Batch, put_down
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

TRACE, SPAN = "01" * 16, "02" * 8
PATH = f"/v1/calls/{TRACE}/{SPAN}/content"
SCRIPT = "<script>alert(1)</script>"
MESSAGES = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": f"write to ann@x.org {SCRIPT}"},
]
ANSWER = [
    {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "I will"},
            {"type": "tool_call", "id": "c1", "name": "send", "arguments": {"to": "bob"}},
        ],
    }
]


@pytest.fixture
def api(database: Database) -> TestClient:
    settings = ApiSettings(key_pepper=b"pepper", open_without_keys=False)
    return TestClient(create_app(database, settings, lambda: RECEIVED))


@pytest.fixture
def admin(database: Database) -> dict[str, str]:
    return bearer(database, "admin")


def bearer(database: Database, kind: str, team: str | None = None) -> dict[str, str]:
    with database.write() as session:
        key = create_key(
            session,
            tenant=TENANT,
            kind=kind,
            name=kind,
            team=team,
            pepper=b"pepper",
            now=datetime(2026, 11, 1, tzinfo=UTC),
        )
    return {"Authorization": f"Bearer {key}"}


def hear(database: Database) -> None:
    terms = ContentTerms(on=True)
    said = {
        "gen_ai.input.messages": json.dumps(MESSAGES),
        "gen_ai.output.messages": json.dumps(ANSWER),
        "team": "search",
    }
    heard = understand_signal(
        Signal.TRACES,
        [request(call(attributes=said))],
        tenant=TENANT,
        received_at=RECEIVED,
        keeping=Keeping.on(terms),
    )
    with database.write() as session:
        set_policy(session, TENANT, terms, now=RECEIVED)
        put_down(session, Batch(TENANT, RECEIVED, [heard]), Known())


def test_whoever_may_read_it_is_told_who_said_what(
    database: Database, api: TestClient, admin: dict[str, str]
) -> None:
    hear(database)
    told = api.get(PATH, headers=admin).json()
    assert told["on"]
    assert [(each["role"], each["tool"], each["text"]) for each in told["turns"]] == [
        ("system", None, "be kind"),
        ("user", None, f"write to [email] {SCRIPT}"),
        ("assistant", None, "I will"),
        ("assistant", "send", '{\n  "to": "bob"\n}'),
    ]
    assert [part["kind"] for part in told["parts"]] == ["input", "output"]


def test_its_page_shows_it_as_text(
    database: Database, api: TestClient, admin: dict[str, str]
) -> None:
    hear(database)
    page = api.get(f"/calls/{TRACE}/{SPAN}", headers=admin).text
    assert "write to [email] &lt;script&gt;" in page
    assert SCRIPT not in page
    assert "what was said" in api.get(f"/traces/{TRACE}", headers=admin).text


@pytest.mark.parametrize(("kind", "team"), [("read", None), ("read", "search")])
def test_everybody_else_is_told_that_it_is_not_theirs(
    database: Database, api: TestClient, kind: str, team: str | None
) -> None:
    hear(database)
    others = bearer(database, kind, team)
    refused = api.get(PATH, headers=others)
    assert (refused.status_code, refused.json()["title"]) == (403, "Not yours to see")
    page = api.get(f"/calls/{TRACE}/{SPAN}", headers=others).text
    assert "not yours to read" in page
    assert "[email]" not in page
    assert "what was said" not in api.get(f"/traces/{TRACE}", headers=others).text
    assert api.get("/v1/content", headers=others).status_code == 403
    assert api.put("/v1/content", headers=others, json={"on": False}).status_code == 403


def test_terms_are_set_and_shown(api: TestClient, admin: dict[str, str]) -> None:
    assert not api.get("/v1/content", headers=admin).json()["on"]
    terms = {"on": True, "days": 3, "kinds": ["output"], "patterns": ["ACME-[0-9]+"]}
    told = api.put("/v1/content", headers=admin, json=terms).json()
    assert {name: told[name] for name in terms} == terms
    assert told["changed_by"] == "admin"
    refused = api.put("/v1/content", headers=admin, json={"on": True, "patterns": [r"(a)\1"]})
    assert (refused.status_code, refused.json()["field"]) == (422, "patterns")


def test_a_dry_run_says_how_much_would_go(
    database: Database, api: TestClient, admin: dict[str, str]
) -> None:
    hear(database)
    told = api.put("/v1/content?dry_run=true", headers=admin, json={"on": False}).json()
    assert told["beyond"]["parts"] == told["held"]["parts"] == 2
    assert api.get("/v1/content", headers=admin).json()["on"]


def test_the_command_says_how_much_would_go(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(tmp_path))
    hear(database)

    def run(*said: str) -> str:
        done = CliRunner().invoke(command, said)
        assert done.exit_code == 0, done.output
        return done.output

    assert "kept for 7 days" in run("show")
    assert "2 parts" in run("off", "--dry-run")
    assert "kept for 7 days" in run("show")
    assert "goes for good within minutes: 2 parts" in run("off")
    assert "content is not kept" in run("show")
    assert "kept for 3 days" in run("on", "--days", "3", "--kinds", "input,output")
    assert CliRunner().invoke(command, ["on", "--kinds", "prompts"]).exit_code == 2


def test_the_page_asks_before_what_there_is_would_go(database: Database) -> None:
    hear(database)
    api = TestClient(
        create_app(database, ApiSettings(), lambda: RECEIVED), base_url="http://localhost"
    )
    form = api.get("/settings/content").text
    token = re.search(r'name="form_token" value="([^"]+)"', form)
    assert token
    asked = {"form_token": token[1], "on": "", "days": "7", "kinds": ["input"]}
    origin = {"Origin": "http://localhost"}
    answer = api.post("/settings/content", data=asked, headers=origin, follow_redirects=False)
    assert "would be gone for good" in answer.text
    answer = api.post(
        "/settings/content", data={**asked, "sure": "yes"}, headers=origin, follow_redirects=False
    )
    assert answer.status_code == 303
    with database.read() as session:
        assert not policy_of(session, TENANT).terms.on


def content(kind: str, *pieces: tuple[str, str]) -> Content:
    return Content(TRACE, 1, RECEIVED, kind, 0, json.dumps(pieces), cut=False)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (
            [("gen_ai.prompt.0.role", "system"), ("gen_ai.prompt.0.content", "be kind")],
            [("system", None, "be kind")],
        ),
        (
            [
                ("llm.input_messages.0.message.role", "user"),
                ("llm.input_messages.0.message.contents.0.message_content.text", "hi"),
                ("input.value", '{"messages": []}'),
            ],
            [("user", None, "hi")],
        ),
        ([("gen_ai.prompt", "plain")], [("user", None, "plain")]),
        (
            [
                (
                    "ai.prompt",
                    '{"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}',
                )
            ],
            [("user", None, "x")],
        ),
        (
            [
                (
                    "m",
                    (
                        '[{"role": "assistant", "content": null, "tool_calls":'
                        ' [{"function": {"name": "f", "arguments": "{}"}}]}]'
                    ),
                )
            ],
            [("assistant", "f", "{}")],
        ),
        (
            [
                (
                    "m",
                    (
                        '[{"role": "user", "content":'
                        ' [{"type": "tool_result", "tool_use_id": "t", "content": "42"}]}]'
                    ),
                )
            ],
            [("user", "a tool", "42")],
        ),
        (
            [("gen_ai.choice", '{"message": "well", "finish_reason": "stop"}')],
            [("user", None, "well")],
        ),
        ([("odd", "[1, 2]")], [("user", None, "[\n  1,\n  2\n]")]),
        ([("broken", '[{"role": ')], [("user", None, '[{"role": ')]),
    ],
)
def test_a_conversation_is_read_whatever_dialect_told_it(
    pieces: list[tuple[str, str]], said: list[tuple[str, str | None, str]]
) -> None:
    turns = turns_of([content("input", *pieces)])
    assert [(each.role, each.tool, each.text) for each in turns] == said
