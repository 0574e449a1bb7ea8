"""Secrets in every position that one can be in, of every kind we know: afterwards they are nowhere.

Neither is what was said in calls, where content is off. tests/canaries.py has the positions.
"""

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import canaries
import grpc
import openpyxl
import psycopg
import pyarrow.parquet as pq
import pytest
from canaries import ASKED, HEARD, MARKED, PLACES, POSITIONS, SAID, SPANS, told_of
from doors import Doors, open_doors
from fastapi.testclient import TestClient
from mail_stand_in import mail_stand_in
from pypdf import PdfReader
from slack_stand_in import slack_stand_in
from spooled import open_spool, put

from api.app import create_app
from api.settings import ApiSettings
from app.logs import configure_logs
from collector.signals import Signal
from collector.spool.codec import encode
from collector.spool.frames import Damage
from collector.understanding.by_signal import understand_signal
from collector.understanding.content import Keeping
from jobs.context import JobContext, JobSettings
from jobs.timetable import run_all
from spend.contents.contents import ContentTerms
from store.contents.content_policies import set_policy
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = datetime.now(UTC).replace(microsecond=0)
START = int((NOW - timedelta(seconds=10)).timestamp()) * 10**9
PERIOD = {
    "from": f"{NOW - timedelta(days=1):%Y-%m-%d}",
    "to": f"{NOW + timedelta(days=1):%Y-%m-%d}",
}
ON = ContentTerms(on=True)
EVERY = int(os.environ.get("CANARIES_EVERY", "14"))
"""Of each position every so-manieth kind; 1 is all of them, which takes minutes."""
Texts = Callable[[str], Sequence[str]]


def secrets(position: str) -> Sequence[str]:
    """Secrets for a position, in words or alone."""
    return [PLACES[n % len(PLACES)].format(secret) for n, secret in enumerate(some(position))]


def some(position: str) -> Sequence[str]:
    """Some of the kinds, others in each position: of positions alike all have some."""
    first = POSITIONS.index(position) % EVERY
    return list(canaries.secrets_of(position))[first::EVERY]


def contents(position: str) -> Sequence[str]:
    """What was said, in the positions of content."""
    said = any(word in position for word in ("prompt", "completion", "messages", "instructions"))
    said |= any(word in position for word in ("tool.call", "JSON", "log body", "stacktrace"))
    return [SAID.format(POSITIONS.index(position))] if said else []


@dataclass
class Sinks:
    """What was written or said anywhere, by where."""

    found: dict[str, bytes] = field(default_factory=dict)

    def __setitem__(self, where: str, what: bytes | str) -> None:
        body = what.encode("utf-8", "surrogatepass") if isinstance(what, str) else what
        self.found[where] = self.found.get(where, b"") + body

    def leaks(self) -> list[str]:
        """Each secret that is somewhere."""
        return sorted(
            {
                f"{where}: {told_of(each)}"
                for where, what in self.found.items()
                for each in MARKED.finditer(what)
            }
        )

    def say(self, what: str) -> list[str]:
        """Where some text is."""
        return [where for where, body in self.found.items() if what.encode() in body]


def send(doors: Doors, texts: Texts) -> list[bytes]:
    """All requests, through the doors; and what they answered."""
    answers = []
    for path, make in SENT.items():
        answer = doors.post(make(START, texts), path=path)
        assert answer.status == 200, answer.body
        answers.append(answer.body)
    return answers


SENT = {"/v1/traces": canaries.traces, "/v1/logs": canaries.logs, "/v1/metrics": canaries.metrics}


def send_oddly(doors: Doors) -> Iterator[bytes]:
    """Secrets around requests, and within such as cannot be read."""
    for number, secret in enumerate(canaries.secrets_of(HEARD[0])):
        names = ("authorization", "x_api_key", "user_agent", "cookie", "content_encoding")
        name = names[number % len(names)]
        yield doors.post(b"", **{name: secret}).body
        yield doors.post(secret.encode()).body
        yield doors.post(f'{{"resourceSpans": "{secret}'.encode(), "application/json").body
        yield doors.post(b"", content_type=secret).body
        yield doors.post(b"", path=f"/v1/traces?key={secret.replace(' ', '+')}").body
    with grpc.insecure_channel(doors.grpc) as channel:
        call = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            request_serializer=None,
            response_deserializer=None,
        )
        for secret in canaries.secrets_of(HEARD[0]):
            with pytest.raises(grpc.RpcError) as refused:
                call(secret.encode(), metadata=(("authorization", secret), ("x-api-key", secret)))
            yield str(refused.value.details()).encode()


def every_row(url: str, sinks: Sinks) -> None:
    """Every column of every table and partition, as COPY writes it."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (name,) in names:
            with connection.cursor().copy(f"COPY {name} TO STDOUT".encode()) as rows:
                sinks[f"table {name}"] = b"".join(bytes(row) for row in rows)


def spool(root: Path, texts: Texts, sinks: Sinks, keeping: Keeping | None) -> None:
    """What lies on the collector's disk while Postgres is away, and in quarantine."""
    signals = zip((Signal.TRACES, Signal.LOGS, Signal.METRICS), SENT.values(), strict=True)
    with open_spool(root) as opened:
        for signal, make in signals:
            heard = understand_signal(
                signal, [make(START, texts)], tenant=TENANT, received_at=NOW, keeping=keeping
            )
            put(opened, encode(heard, NOW))
        segment = opened.oldest()
        assert segment
        for piece in segment.read():
            assert not isinstance(piece, Damage)
            opened.set_aside(segment, piece, "to look at it")
    for path in root.rglob("*"):
        if path.is_file():
            sinks[f"spool {path.relative_to(root).parts[0]}"] = path.read_bytes()


def lists(api: TestClient, sinks: Sinks) -> None:
    """What the API and its pages answer that list things."""
    for path in LISTS:
        answer = api.get(path, params=PERIOD if path in SPENT else None)
        sinks[f"answer of {path}"] = answer.content


def ask(api: TestClient, sinks: Sinks) -> None:
    """Each file that the API gives, and single calls with their pages."""
    month = f"{NOW:%Y-%m}"
    for end in ("csv", "xlsx", "parquet", "pdf"):
        answer = api.get(f"/v1/statements/{month}.{end}")
        assert answer.status_code == 200, answer.text
        sinks[f"statement as {end}"] = _readable(end, answer.content)
    for end in ("csv", "parquet"):
        answer = api.get(f"/v1/focus/{month}/cost-and-usage.{end}")
        sinks[f"FOCUS as {end}"] = _readable(end, answer.content)
    listed = api.get("/v1/calls", params={**PERIOD, "limit": 500}).json()["calls"]
    assert listed
    for each in listed[:: len(listed) // 3 or 1]:
        call = f"{each['trace_id']}/{each['span_id']}"
        for path in (f"/v1/calls/{call}", f"/calls/{call}", f"/traces/{each['trace_id']}"):
            sinks["one call"] = api.get(path).content


LISTS = (
    *("/", "/explore", "/teams", "/budgets", "/alerts", "/performance", "/calls", "/traces"),
    *("/models", "/prices", "/prices/unpriced", "/settings", "/settings/keys", "/settings/about"),
    *("/settings/channels", "/settings/content", "/calls?csv=calls", "/explore?csv=spend"),
    *("/v1/spend", "/v1/spend.csv", "/v1/performance", "/v1/budgets", "/v1/channels"),
    *("/v1/alerts", "/v1/prices/unpriced", "/v1/alert-rules", "/v1/silences", "/metrics"),
    *("/metrics/ledger", "/metrics/spend"),
)

SPENT = ("/v1/spend", "/v1/spend.csv", "/v1/performance")


def _readable(end: str, body: bytes) -> bytes:
    match end:
        case "xlsx":
            book = openpyxl.load_workbook(io.BytesIO(body))
            rows = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
            with zipfile.ZipFile(io.BytesIO(body)) as parts:
                return str(rows).encode() + b"".join(map(parts.read, parts.namelist()))
        case "parquet":
            return body + str(pq.read_table(io.BytesIO(body)).to_pylist()).encode()
        case "pdf":
            pages = PdfReader(io.BytesIO(body)).pages
            return body + "".join(page.extract_text() for page in pages).encode()
        case _:
            return body


def write(api: TestClient, sinks: Sinks) -> None:
    """What people write through the API."""
    for position, make in ASKED.items():
        for secret in some(position):
            method, path, more = make(secret)
            answer = api.request(method, path, **more)
            assert answer.status_code != 500, (position, answer.text)
            sinks[f"answer to {position}"] = answer.content


def work(database: Database, sinks: Sinks) -> None:
    """Everything that goes by the clock, and what it tells people."""
    with slack_stand_in() as slack, mail_stand_in() as mail:
        settings = JobSettings(
            slack_webhook_url=slack.url, allow_private_destinations=True, smtp_url=mail.url
        )
        for _done in run_all(JobContext(database, NOW, settings, by_hand=True)):
            pass
        sinks["Slack"] = b"\n".join(slack.bodies)
        sinks["mail"] = "".join(map(str, mail.mails))


@pytest.mark.parametrize("keeps_content", [False, True], ids=["content off", "content on"])
def test_secrets_are_nowhere(
    database: Database,
    database_url: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    keeps_content: bool,
) -> None:
    configure_logs("canaries")
    assert len(POSITIONS) >= 40
    sinks = Sinks()
    if keeps_content:
        with database.write() as session:
            set_policy(session, TENANT, ON, now=NOW)
    with open_doors(database) as doors:
        for body in send(doors, secrets):
            sinks["answers of the doors"] = body
        assert doors.stored() > len(SPANS)
        for body in send_oddly(doors):
            sinks["refusals of the doors"] = body
        sinks["/metrics of the collector"] = doors.post(
            b"", None, path="/metrics", method="GET"
        ).body
    api = TestClient(
        create_app(database, ApiSettings(), lambda: NOW),
        base_url="http://localhost",
        raise_server_exceptions=False,
    )
    # What people write, and what is asked of lists, is the same with content.
    if not keeps_content:
        write(api, sinks)
    for path, told in (("/v1/budgets", canaries.BUDGET), ("/v1/alert-rules", canaries.RULE)):
        assert api.post(path, json=told).status_code == 201
    work(database, sinks)
    assert sinks.found["Slack"]
    if not keeps_content:
        lists(api, sinks)
    ask(api, sinks)
    every_row(database_url, sinks)
    spool(tmp_path, secrets, sinks, Keeping.on(ON) if keeps_content else None)
    said = capfd.readouterr()
    sinks["logs"] = said.out + said.err
    kept = [what for where, what in sinks.found.items() if where.startswith("table contents")]
    assert any(kept) == keeps_content
    leaks = sinks.leaks()
    assert not leaks, "\n".join(leaks)


def test_what_is_said_in_calls_is_nowhere_while_content_is_off(
    database: Database, database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_logs("canaries")
    sinks = Sinks()
    with open_doors(database) as doors:
        send(doors, contents)
    every_row(database_url, sinks)
    spool(tmp_path, contents, sinks, None)
    said = capfd.readouterr()
    sinks["logs"] = said.out + said.err
    assert sinks.say("Zebra prompt") == []


def test_a_secret_that_is_kept_would_be_found() -> None:
    sinks = Sinks()
    for secret in canaries.secrets_of(POSITIONS[3]):
        sinks["a table"] = secret
        sinks["bytes"] = secret.encode().hex()
    assert len(sinks.leaks()) == 2 * len(canaries.KINDS)
    assert all(POSITIONS[3] in leak for leak in sinks.leaks())
