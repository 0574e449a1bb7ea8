"""All that a soak found, and what it says of each scenario."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from faults.oracle import Chapter, Oracle, Verdict
from faults.proofs import Proven
from faults.scenarios import SCENARIOS, Scenario

NEVER = Chapter()
PARTS = {
    "growth": "memory, files and connections watched",
    "contract": "all that the contract allows",
}
"""Of the soak, beside its faults: field -> what it is called."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was tried of a scenario, and how it went."""

    number: int
    what: str
    made: str
    inputs: int
    lost: int
    doubled: int
    errors: int
    verdict: str


@dataclass
class Found:
    oracle: Oracle
    verdict: Verdict = field(default_factory=Verdict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Faults that cannot be made on this machine, and why."""
    broken_by: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Promises that broke while a fault was made."""
    proofs: dict[int, Proven] = field(default_factory=dict)
    """By number of a scenario."""
    fuzzed: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """Target -> inputs, and whether none broke anything."""
    growth: list[dict[str, object]] | None = None
    contract: Counter[str] | None = None
    """What the API answered to all that its contract allows: status -> how often."""

    def proven(self, found: dict[int, Proven]) -> None:
        """Adds what one run of tests came to."""
        for number, new in found.items():
            if not new.times and not new.skipped and not new.failed:
                continue
            old = self.proofs.setdefault(number, Proven())
            old.unreached = new.unreached if old.times == 0 else []
            old.times += new.times
            old.inputs += new.inputs
            old.failed += new.failed
            old.skipped = new.skipped
            for why in new.failed:
                self.oracle.is_broken(f"scenario {number}: {why}")

    def rows(self) -> list[Row]:
        return [self.row(each) for each in SCENARIOS]

    def row(self, scenario: Scenario) -> Row:
        chapters = [self.oracle.chapters.get(name, NEVER) for name in scenario.of("fault")]
        proven = self.proofs.get(scenario.number, Proven())
        return Row(
            number=scenario.number,
            what=scenario.what,
            made=", ".join(self.tried(scenario)),
            inputs=sum(chapter.acknowledged for chapter in chapters)
            + proven.inputs
            + sum(self.fuzzed.get(name, (0, True))[0] for name in scenario.of("fuzz"))
            + ((self.contract or Counter()).total() if "contract" in scenario.of("soak") else 0),
            lost=sum(chapter.lost for chapter in chapters),
            doubled=sum(chapter.doubled for chapter in chapters),
            errors=sum(chapter.errors.total() for chapter in chapters),
            verdict=self.judged(scenario),
        )

    def tried(self, scenario: Scenario) -> list[str]:
        """What was done of it, how often."""
        done = [
            f"{name}: {made}"
            for name in scenario.of("fault")
            if (made := self.oracle.chapters.get(name, NEVER).made)
        ]
        if proven := self.proofs.get(scenario.number):
            done.append(f"{proven.times} tests")
        done += [f"fuzzed: {name}" for name in scenario.of("fuzz") if name in self.fuzzed]
        return done + [PARTS[name] for name in scenario.of("soak") if self.came_to(name)]

    def came_to(self, part: str) -> bool:
        """Whether a part of the soak was reached."""
        return getattr(self, part) is not None

    def judged(self, scenario: Scenario) -> str:
        if broken := self.broken(scenario):
            return f"BROKEN: {broken[0]}"
        missing = self.missing(scenario)
        without = [
            f"{name}: {why}" for name, why in self.skipped.items() if name in scenario.of("fault")
        ]
        proven = self.proofs.get(scenario.number, Proven())
        without += [f"{name.partition('::')[2]}: {why}" for name, why in proven.skipped.items()]
        if scenario.but:
            without.append(scenario.but)
        done = self.tried(scenario)
        if not done:
            return (
                "not made here: " + "; ".join(without) if without and not missing else "not reached"
            )
        told = "held"
        if missing:
            told += f"; not reached: {', '.join(missing)}"
        return told + (f"; not here: {'; '.join(without)}" if without else "")

    def broken(self, scenario: Scenario) -> list[str]:
        found = []
        for name in scenario.of("fault"):
            chapter = self.oracle.chapters.get(name, NEVER)
            if chapter.lost or chapter.doubled or chapter.errors:
                found.append(f"{name} lost, doubled, or was answered 500")
            found += self.broken_by.get(name, [])
        if proven := self.proofs.get(scenario.number):
            found += proven.failed
        found += [
            f"{name} found something"
            for name in scenario.of("fuzz")
            if not self.fuzzed.get(name, (0, True))[1]
        ]
        for part in scenario.of("soak"):
            found += self.broken_by.get(part, [])
        return found

    def missing(self, scenario: Scenario) -> list[str]:
        """What of it could be made here, and was not come to."""
        faults = [
            name
            for name in scenario.of("fault")
            if name not in self.skipped and not self.oracle.chapters.get(name, NEVER).made
        ]
        proven = self.proofs.get(scenario.number)
        tests = [name.partition("::")[2] for name in proven.unreached] if proven else ["its tests"]
        tests = tests if scenario.tests else []
        fuzz = [f"fuzzing of {name}" for name in scenario.of("fuzz") if name not in self.fuzzed]
        rest = [PARTS[name] for name in scenario.of("soak") if not self.came_to(name)]
        return faults + tests + fuzz + rest
