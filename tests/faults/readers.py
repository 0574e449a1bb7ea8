"""Who reads while others send: a reader that follows links and routes, and faults of reading."""

import html
import http.client
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from faults.contention import rolling
from faults.house import wait
from faults.oracle import Oracle
from faults.stage import Fault, Stage

LINK = re.compile(r'href="(/[^"#]*)')
MOST_KNOWN = 400
READERS = 50


class Reader(threading.Thread):
    """Asks one address after the other, those of the contract and those that pages lead to."""

    def __init__(self, oracle: Oracle, address: Callable[[], str], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self._oracle = oracle
        self._address = address
        self._chance = chance
        self._known = ["/"]

    def run(self) -> None:
        _, contract = self.get("/openapi.json")
        with suppress(ValueError):
            self._known += [path for path in json.loads(contract)["paths"] if "{" not in path]
        while not self.enough.wait(self._chance.uniform(0, 0.8)):
            _, said = self.get(self._chance.choice(self._known))
            found = {html.unescape(path) for path in LINK.findall(said)} - set(self._known)
            self._known += list(found)[: MOST_KNOWN - len(self._known)]

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; 0 where there was no answer, which is counted, and no more."""
        connection = http.client.HTTPConnection(self._address(), timeout=40)
        try:
            connection.request("GET", quote(path, safe="/?&=%:,+;@-._~"))
            answer = connection.getresponse()
            said = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            self._oracle.answered("no answer of the API", path)
            return 0, ""
        finally:
            connection.close()
        self._oracle.answered(str(answer.status), path)
        return answer.status, said


def reading(stage: Stage) -> Reader:
    """One that is asked to get single addresses."""
    return Reader(stage.oracle, lambda: stage.house.api_address, stage.chance)


def slow_reports(stage: Stage) -> Counter[str]:
    """Nobody gets what is locked: fifty wait for reports, and those who send notice nothing."""
    fired: Counter[str] = Counter()
    asked = "/v1/spend?group_by=day,team,provider,model,operation"
    over = threading.Event()

    def ask(_: int) -> Counter[str]:
        mine: Counter[str] = Counter()
        while not over.is_set():
            status, _said = reading(stage).get(asked)
            mine[f"reports answered {status}"] += 1
        return mine

    with ThreadPoolExecutor(READERS) as readers:
        with stage.house.asking() as connection, connection.transaction():
            connection.execute("LOCK TABLE cells IN ACCESS EXCLUSIVE MODE")
            waiting = readers.map(ask, range(READERS))
            stage.acknowledges(200)
            wait(stage.long(stage.some(8, 15), 3))
            stage.acknowledges(200)
            over.set()
        fired.update(sum(waiting, Counter()))
    if reading(stage).get(asked)[0] != 200:
        stage.oracle.is_broken("slow reports: no report is given once nothing is locked")
    return fired


def pages_read(stage: Stage) -> Counter[str]:
    """Page after page, while calls come and are rolled up: each once, and sums that fit."""
    fired: Counter[str] = Counter()
    reader = reading(stage)
    complete = ""
    with rolling(stage.house, "--all"):
        for _ in range(int(stage.long(6, 1))):
            calls = list(paged(reader, "/v1/calls?limit=50", "calls", 20))
            ids = [(call["trace_id"], call["span_id"]) for call in calls]
            if len(set(ids)) < len(ids):
                stage.oracle.is_broken("pages of calls hold one twice")
            starts = [call["started_at"] for call in calls]
            if starts != sorted(starts, reverse=True):
                stage.oracle.is_broken("pages of calls are out of order")
            fired["calls on pages"] += len(ids)
            status, said = reader.get("/v1/spend?group_by=team,model")
            if status == 200:
                spend = json.loads(said)
                complete = in_order(stage.oracle, complete, spend)
                fired["reports added up"] += 1
            wait(stage.some(0, 1))
    return fired


def in_order(oracle: Oracle, before: str, spend: dict[str, Any]) -> str:
    """A report's rows come to its total, and it is as complete as the one before, or more."""
    for name in ("calls", "cost"):
        amounts = [row[name] for row in spend["rows"] if row[name] is not None]
        if sum(map(Decimal, amounts)) != Decimal(spend["total"][name] or 0):
            oracle.is_broken(f"rows of {name} do not come to their total")
    complete: str = spend["complete_until"] or ""
    if complete < before:
        oracle.is_broken(f"a report is complete until {before}, and the next until {complete}")
    return complete


def paged(reader: Reader, path: str, name: str, most: int) -> Iterator[Any]:
    cursor = ""
    for _ in range(most):
        status, said = reader.get(path + cursor)
        if status != 200:
            return
        page = json.loads(said)
        yield from page[name]
        if page["next"] is None:
            return
        cursor = "&cursor=" + quote(page["next"])


READING = [
    Fault("slow reports", slow_reports, behind=True),
    Fault("pages read while calls come", pages_read, behind=True),
]
