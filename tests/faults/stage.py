"""A house, those who send to it, and what was seen: what a fault is made in."""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from faults.bodies import CALLS, MIXED, Mix
from faults.house import House, wait
from faults.ledger import last_batch
from faults.oracle import Chapter, Oracle
from faults.producers import RawClient, Retries, SdkApplication, finish

RECOVERY = 60.0
"""Seconds after which a request must be acknowledged again."""


@dataclass
class Stage:
    house: House
    oracle: Oracle
    producers: list[RawClient | SdkApplication]
    chance: random.Random
    short: bool
    """A quick form of each fault, for the test run."""

    def some(self, least: float, most: float) -> float:
        return self.chance.uniform(least, most)

    def long(self, seconds: float, in_short: float) -> float:
        return in_short if self.short else seconds

    def clients(self) -> list[RawClient]:
        return [it for it in self.producers if isinstance(it, RawClient)]

    def client(self, mix: Mix = CALLS, *, refused_start: bool = False) -> RawClient:
        """One more, that sends nothing by itself."""
        client = RawClient(
            self.oracle, lambda: self.house.http.address, self.chance, sizes=[1], mix=mix
        )
        client.sender.refused_start = refused_start
        return client

    def acknowledged(self) -> int:
        return self.oracle.chapters[self.oracle.now].acknowledged

    def acknowledges(self, spans: int) -> None:
        """Waits until so many more are acknowledged."""
        before = self.acknowledged()
        wait(RECOVERY, lambda: self.acknowledged() >= before + spans)


@dataclass(frozen=True)
class Fault:
    name: str
    make: Callable[[Stage], Counter[str]]
    """Makes it, ends it, and gives the evidence that it happened."""
    why_not: Callable[[], str | None] = lambda: None
    """Why it cannot be made on this machine."""
    behind: bool = False
    """Behind the collector, where no exporter of an application may come to give up."""


def make(fault: Fault, stage: Stage) -> Chapter:
    """Makes a fault under load, and waits until requests are acknowledged again."""
    oracle = stage.oracle
    chapter = oracle.begin(fault.name)
    evidence = fault.make(stage)
    chapter.made += 1
    oracle.begin(fault.name)
    chapter.fired.update(+evidence)
    if not +evidence:
        oracle.is_broken(f"{fault.name}: it did not happen")
    began = time.monotonic()
    wait(RECOVERY, lambda: acknowledges_now(stage))
    if time.monotonic() - began >= RECOVERY:
        oracle.is_broken(f"{fault.name}: nothing is heard {RECOVERY:g} s after it")
    return chapter


def acknowledges_now(stage: Stage) -> bool:
    with closing(stage.client()) as probe:
        return probe.once(probe.make(1))


@contextmanager
def sending(house: House, seed: int, *, short: bool, sdk: bool = True) -> Iterator[Stage]:
    """A stage with everybody sending; at the end of the block all bring their last to an end."""
    chance = random.Random(seed)
    oracle = Oracle(chance.getrandbits(32))
    oracle.after_batch = last_batch(house.ledger)

    def raw(sizes: list[int], mix: Mix, pause: float) -> RawClient:
        return RawClient(
            oracle,
            lambda: house.http.address,
            random.Random(chance.random()),
            sizes=sizes,
            mix=mix,
            pause=pause,
        )

    producers: list[RawClient | SdkApplication] = [
        raw([512], CALLS, 1.0 if short else 0.4),
        raw([512, 200], MIXED, 1.0 if short else 0.4),
        raw([1, 3, 20], MIXED, 0.1 if short else 0.03),
        raw([1, 2], CALLS, 0.1 if short else 0.02),
    ]
    retries = Retries(oracle)
    exporters = logging.getLogger("opentelemetry.exporter.otlp.proto")
    exporters.addHandler(retries)
    if sdk:
        producers += [
            SdkApplication(oracle, house.http.address, random.Random(chance.random()), grpc=False),
            SdkApplication(oracle, house.grpc.address, random.Random(chance.random()), grpc=True),
        ]
    for producer in producers:
        producer.start()
    try:
        yield Stage(house, oracle, producers, chance, short)
        oracle.begin("no fault")
    finally:
        left = finish(producers, 60)
        exporters.removeHandler(retries)
        if left:
            oracle.is_broken(f"{left} senders could not bring their last request to an end")
