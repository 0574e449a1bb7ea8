"""Nothing that was acknowledged is lost or counted twice, whatever dies: the short form.

The long form, with all faults in a random order, is ``make soak`` (docs/reliability.md). A house
is made once for all; each test sends under a fault of its own, and is judged by an oracle of its
own run.
"""

import random
from collections.abc import Iterator

import pytest
from faults.everything import FAULTS
from faults.house import House, house
from faults.stage import make, sending
from faults.verdicts import judge, roll_and_compare

SEED = 20_261_122
TOGETHER = {
    "processes": [
        "worker killed",
        "killed between commit and answer",
        "killed while Postgres is away",
        "SIGTERM under load",
    ],
    "network": [
        "answers lost",
        "requests cut after n bytes",
        "database cut in mid-statement",
        "answers of the database lost",
    ],
    "Postgres": [
        "duplicate storm of 8 writers",
        "clocks of senders off",
        "errors forced in every 3rd transaction",
        "deadlock",
        "connections terminated each second",
        "migration while ingesting",
        "roll killed",
    ],
}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with house(folder, random.Random(SEED), COLLECTOR_WORKERS="2") as opened:
        yield opened


@pytest.mark.parametrize("where", TOGETHER)
def test_what_was_acknowledged_is_stored_once(standing: House, where: str) -> None:
    names = TOGETHER[where]
    with sending(standing, SEED + len(where), short=True) as stage:
        stage.acknowledges(300)
        for name in names:
            make(FAULTS[name], stage)
    verdict = judge(standing.ledger, stage.oracle)
    if "roll killed" in names:
        roll_and_compare(standing.ledger, stage.oracle, verdict)
    assert stage.oracle.broken == {}, standing.collector.said()[-5_000:]
    assert verdict.acknowledged > 300
    for name in names:
        assert stage.oracle.chapters[name].fired.total() > 0
