"""What is promised of a running system, and how each promise was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class State(Enum):
    """How a promise was found."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_REACHED = "not reached"
    """It could not be looked at, as another one is broken or time was over."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that whoever sends, asks or pays relies on."""

    name: str
    """For programs: it stays."""
    says: str
    """What is expected, in words."""
    do: str
    """Where to look if it is not kept."""


COLLECTOR: Final = "collector"
API: Final = "api"
CLOCK_CANARY: Final = "clock-canary"
CLOCK_COLLECTOR: Final = "clock-collector"
CLOCK_API: Final = "clock-api"
CLOCK_JOBS: Final = "clock-jobs"
CLOCK_DATABASE: Final = "clock-database"
TAKEN_PROTOBUF: Final = "taken-protobuf"
TAKEN_JSON: Final = "taken-json"
TAKEN_GRPC: Final = "taken-grpc"
MALFORMED: Final = "malformed"
NEIGHBOURS: Final = "neighbours"
STORED: Final = "stored"
OWNER: Final = "owner"
USAGE: Final = "usage"
SENT_TWICE: Final = "sent-twice"
TWO_SIGHTINGS: Final = "two-sightings"
PRICED: Final = "priced"
SETTLED: Final = "settled"
REPORTED: Final = "reported"
BUDGETS: Final = "budgets"

_NTP: Final = "set that machine's clock (timedatectl, chronyc tracking)"
_TAKEN: Final = (
    "401, UNAUTHENTICATED: is SPANLEDGER_API_KEY a key of kind ingest, and in force? spanledger "
    "keys list; the collector's log says what is wrong with it: a key was refused. Else its log, "
    "and what is in front of it"
)

PROMISES: Final = (
    Promise(
        COLLECTOR,
        "the collector lives, takes requests, and has its database",
        "nothing answers: is it running, is this its address, do --ca and --cert fit? Its database "
        "is away: its Postgres. It takes nothing: spanledger doctor on its machine, line spool",
    ),
    Promise(
        API,
        "the API lives, has its database, and lets this key read",
        "nothing answers: is it running, is this its address, does --ca fit? 401, 403: "
        "SPANLEDGER_READ_KEY, see spanledger keys list. 503: its Postgres",
    ),
    Promise(TAKEN_PROTOBUF, "a span over OTLP/HTTP as protobuf is acknowledged", _TAKEN),
    Promise(TAKEN_JSON, "a span over OTLP/HTTP as JSON is acknowledged", _TAKEN),
    Promise(
        TAKEN_GRPC,
        "a span over OTLP/gRPC is acknowledged",
        f"is --grpc the address of OTLP/gRPC? where none is offered: --no-grpc; {_TAKEN}",
    ),
    Promise(
        MALFORMED,
        "what is no request is refused for good: 400",
        "is something in front of the collector that answers in its place?",
    ),
    Promise(
        NEIGHBOURS,
        "a span without an id is refused alone, and the answer says so",
        "is something in front of the collector that takes requests apart?",
    ),
    Promise(
        STORED,
        "each call is found by its trace and span id, as it was sent",
        "spanledger doctor: lines spool, partitions and heard; do --otlp and --api share a "
        "database? is SPANLEDGER_READ_KEY that of another team?",
    ),
    Promise(
        OWNER,
        "each call is of the team that sent it",
        "is something in front of the collector that changes resource attributes?",
    ),
    Promise(
        USAGE,
        "each call used what was sent, meter by meter",
        "is something in front of the collector that changes attributes?",
    ),
    Promise(
        SENT_TWICE,
        "a span that is sent again is the same call",
        "a fault of spanledger: keep the trace id, and report it",
    ),
    Promise(
        PRICED,
        "each call costs what its price line comes to, to the last digit",
        "spanledger jobs run prices; spanledger prices list --provider spanledger",
    ),
    Promise(
        SETTLED,
        "what was acknowledged is in the reports, which say so in time",
        "do the jobs run? spanledger jobs list; spanledger doctor; the log of spanledger jobs",
    ),
    Promise(
        TWO_SIGHTINGS,
        "what an instrumentation and a gateway tell of one call is one call",
        "spanledger jobs list: how did roll end?",
    ),
    Promise(
        REPORTED,
        "the report has each call once, and its cost to the last digit",
        "spanledger jobs list: how did charge end? the calls: /v1/calls?provider=spanledger",
    ),
    Promise(
        BUDGETS,
        "a gateway is told whether a budget has something left",
        "the log of the API; docs/budget-check.md",
    ),
    Promise(
        CLOCK_CANARY,
        "this machine's clock goes with the others",
        "set this machine's clock; if it is right, those of all the others are wrong",
    ),
    Promise(CLOCK_COLLECTOR, "the collector's clock goes with the others", _NTP),
    Promise(CLOCK_API, "the API's clock goes with the others", _NTP),
    Promise(CLOCK_JOBS, "the clock of the jobs does not run ahead", _NTP),
    Promise(CLOCK_DATABASE, "the database's clock goes with the others", _NTP),
)
"""All of them, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a promise was found."""

    promise: Promise
    state: State
    seen: str
    """What was seen; for one that was not reached, why."""
    seconds: float | None = None
    """How long it took; None: nothing was waited for."""


class Proof:
    """What was found so far. Each promise is told once; what is never told was not reached."""

    def __init__(self, *, without: frozenset[str] = frozenset()) -> None:
        """``without``: names of promises that nobody asks for."""
        self._asked = {each.name: each for each in PROMISES if each.name not in without}
        self._found: dict[str, Found] = {}
        self.why_not = "the run ended before"
        """Why what is not told was not reached."""

    def tell(
        self, name: str, faults: Sequence[str], seen: str, seconds: float | None = None
    ) -> bool:
        """Says whether a promise is kept: it is where there are no ``faults``."""
        state = State.BROKEN if faults else State.KEPT
        said = "; ".join(dict.fromkeys(faults)) if faults else seen
        if name in self._asked:
            self._found[name] = Found(self._asked[name], state, said, seconds)
        return not faults

    def not_reached(self, name: str, why: str) -> None:
        """Says why a promise could not be looked at; one that was told stays."""
        if name in self._asked:
            missed = Found(self._asked[name], State.NOT_REACHED, why)
            self._found.setdefault(name, missed)

    def found(self) -> Iterator[Found]:
        """All promises, in their order."""
        for name, promise in self._asked.items():
            yield self._found.get(name) or Found(promise, State.NOT_REACHED, self.why_not)

    @property
    def all_kept(self) -> bool:
        """Whether nothing is left to be wished for."""
        return all(each.state is State.KEPT for each in self.found())
