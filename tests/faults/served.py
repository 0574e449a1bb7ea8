"""Faults: ``spanledger serve`` with its own Postgres, killed in part and as a whole."""

import os
import random
import signal
from collections import Counter

from faults.bodies import CALLS, MIXED
from faults.house import free_port, wait
from faults.ledger import Ledger
from faults.oracle import Oracle
from faults.producers import RawClient, finish
from faults.stage import Fault, Stage
from faults.verdicts import judge
from serving import Serving, eventually, is_gone, serving

from app.local_postgres import local_postgres

DOORS = ("OTLP_HTTP_ADDR", "OTLP_GRPC_ADDR", "API_ADDR")


def serve_killed(stage: Stage) -> Counter[str]:
    """The whole of it in one blow, and parts of it, under load, judged by an oracle of its own."""
    fired: Counter[str] = Counter()
    folder = stage.house.folder / f"served-{stage.chance.getrandbits(32)}"
    settings = {name: f"127.0.0.1:{free_port()}" for name in DOORS}
    oracle = Oracle(stage.chance.getrandbits(32))
    oracle.begin(stage.oracle.now)
    senders = [
        RawClient(
            oracle,
            lambda: settings["OTLP_HTTP_ADDR"],
            random.Random(stage.chance.random()),
            sizes=sizes,
            mix=mix,
        )
        for sizes, mix in (([512], CALLS), ([1, 7], MIXED))
    ]
    for _ in range(int(stage.long(2, 1))):
        with serving(folder, **settings) as serve:
            for sender in senders:
                if not sender.is_alive():
                    sender.start()
            wait(stage.some(1, 3))
            fired["serve killed"] += kill_all(serve)
    with serving(folder, **settings) as serve:
        parts = serve.parts()
        for name in ("postgres", "collector"):
            os.kill(parts[name], signal.SIGKILL)
            fired[f"its {name} killed"] += 1
        wait(stage.some(1, 2))
        if finish(senders, 60):
            oracle.is_broken("senders could not bring their last request to an end")
        with local_postgres(folder) as server:
            judge(Ledger(server.url, folder), oracle)
    stage.oracle.adopt(oracle)
    return fired


def kill_all(serve: Serving) -> int:
    parts = serve.parts()
    serve.process.kill()
    serve.process.wait()
    eventually(lambda: all(is_gone(pid) for pid in parts.values()), "the parts end by themselves")
    return 1


SERVED = [Fault("the whole of serve killed", serve_killed)]
