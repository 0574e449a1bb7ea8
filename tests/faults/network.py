"""Faults: a network that cuts, loses, delays and swallows."""

from collections import Counter
from contextlib import ExitStack

from faults.house import wait
from faults.proxy import Proxy, Weather
from faults.stage import Fault, Stage

PATIENCE = 20.0
"""Seconds in which somebody must come by."""


def weather(proxies: list[Proxy], what: Weather, seconds: float) -> Counter[str]:
    """So many seconds of it, and longer until it has struck."""

    def struck() -> int:
        return sum(proxy.count.total() for proxy in proxies)

    before = struck()
    with ExitStack() as stack:
        counts = [stack.enter_context(proxy.under(what)) for proxy in proxies]
        wait(seconds)
        wait(PATIENCE, lambda: struck() > before)
    return sum(counts, Counter())


def doors(stage: Stage) -> list[Proxy]:
    return [stage.house.http, stage.house.grpc]


def answers_lost(stage: Stage) -> Counter[str]:
    return weather(doors(stage), Weather(cut_answers=(0, 0)), stage.long(5, 2))


def requests_cut(stage: Stage) -> Counter[str]:
    """At any byte of the request: in its head, in its body, at its end."""
    cut = Weather(cut_requests=(0, stage.chance.choice([400, 5_000, 200_000])))
    return weather(doors(stage), cut, stage.long(5, 2))


def requests_half_closed(stage: Stage) -> Counter[str]:
    return weather(doors(stage), Weather(half_close=(0, 5_000)), stage.long(4, 1))


def connections_refused(stage: Stage) -> Counter[str]:
    return weather(doors(stage), Weather(refuse=True), stage.long(3, 1))


def slow_senders(stage: Stage) -> Counter[str]:
    slow = Weather(bytes_a_second=200_000, latency=(0, 0.3))
    return weather(doors(stage), slow, stage.long(8, 2))


def database_blackholed(stage: Stage) -> Counter[str]:
    seconds = stage.long(stage.some(8, 30), 4)
    return weather([stage.house.to_database], Weather(blackhole=True), seconds)


def database_slow(stage: Stage) -> Counter[str]:
    late = Weather(latency=stage.chance.choice([(0.02, 0.08), (0.2, 0.8)]))
    return weather([stage.house.to_database], late, stage.long(12, 2))


def database_cut(stage: Stage) -> Counter[str]:
    """In the middle of a COPY, or of anything."""
    cut = Weather(cut_requests=(0, 150_000))
    return weather([stage.house.to_database], cut, stage.long(6, 2))


def commits_unheard(stage: Stage) -> Counter[str]:
    """Postgres's answers are cut: whether it was committed, nobody knows."""
    cut = Weather(cut_answers=(0, 3_000))
    return weather([stage.house.to_database], cut, stage.long(6, 2))


NETWORK = [
    Fault("answers lost", answers_lost),
    Fault("requests cut after n bytes", requests_cut),
    Fault("requests half closed", requests_half_closed),
    Fault("connections refused", connections_refused),
    Fault("slow senders", slow_senders),
    Fault("database blackholed", database_blackholed, behind=True),
    Fault("database slow", database_slow, behind=True),
    Fault("database cut in mid-statement", database_cut, behind=True),
    Fault("answers of the database lost", commits_unheard, behind=True),
]
