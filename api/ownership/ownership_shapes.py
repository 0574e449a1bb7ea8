"""Ownership as it is said to the API, and as the API shows it: versions, and previews."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictStr

from api.grouping import Asked
from api.shapes import instant
from spend.money import EXACT, plain
from spend.ownership.ownership import GIVEN, MATCHED, SAID
from spend.ownership.ownership_files import fields_of
from spend.ownership.splits import BY_USAGE
from store.ledger.ownership_preview import Preview
from store.ownership.ownership import Version


class Term(BaseModel):
    """From when to when something holds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: StrictStr | None = Field(
        None,
        alias="from",
        description="A date (its first moment in `timezone`) or a time, on a quarter hour."
        " Inclusive. Default: ever since.",
        examples=["2026-10-17"],
    )
    to: StrictStr | None = Field(None, description="Likewise; exclusive. Default: for good.")


class RuleShape(Term):
    """Calls of some owners are paid for by another team."""

    name: StrictStr = Field(
        description="One of a name at a time.", examples=["search moved to discovery"]
    )
    match: dict[StrictStr, list[StrictStr]] = Field(
        description="Which calls, by who was heard: dimension to values, of which one must fit, in"
        " every dimension named. `*` at the end of a value fits any continuation, an empty one"
        f" what was not said. Dimensions: {', '.join(MATCHED)}.",
        examples=[{"team": ["search", "search-*"]}],
    )
    gives: dict[StrictStr, StrictStr] = Field(
        description="Who pays: the team; and, where another is to be told, "
        + " and ".join(GIVEN[1:])
        + ".",
        examples=[{"team": "discovery"}],
    )


class SplitShape(Term):
    """What a shared team pays for is put to other teams, by one of `shares`, `weights` and `by`."""

    name: StrictStr = Field(description="One of a name at a time.", examples=["platform"])
    match: dict[StrictStr, list[StrictStr]] = Field(
        description="Whose cost, by who pays after the rules; written as in a rule, `team` always."
        f" Dimensions: {', '.join(SAID)}.",
        examples=[{"team": ["platform"]}],
    )
    # Anything, so that a number with a point is refused for what it is: not exact.
    shares: dict[StrictStr, Any] | None = Field(
        None,
        description="Team to its per cent, 100 together: decimal strings or whole numbers.",
        examples=[{"discovery": "60", "chat": "40"}],
    )
    weights: dict[StrictStr, Any] | None = Field(
        None, description="Likewise; whatever they add up to is all."
    )
    by: StrictStr | None = Field(
        None, description=f"What a day's cost goes by: {', '.join(BY_USAGE)}."
    )
    teams: list[StrictStr] | None = Field(
        None, description="With `by`: who pays. Default: every team that is not itself split."
    )


class OwnershipShape(BaseModel):
    """Rules, of which the first that fits decides, and splits. All there is: it replaces all."""

    model_config = ConfigDict(extra="forbid")

    timezone: StrictStr | None = Field(
        None,
        description="IANA name, of dates and of the days that are split. Default: the server's.",
    )
    rules: list[RuleShape] = Field(description="In order. `[]` ends every rule.")
    splits: list[SplitShape] = Field(default_factory=list)

    def as_fields(self) -> dict[str, Any]:
        """As a file would say it."""
        return self.model_dump(by_alias=True, exclude_none=True)


class VersionAnswer(BaseModel):
    """When rules were put in force, by whom."""

    version: int = Field(description="From 1; 0 where nobody ever applied any.")
    known_from: str | None
    known_to: str | None = Field(description="When the next one replaced it; null: it is in force.")
    source: str | None = Field(description="What it was read from.")
    entered_by: str | None
    followed_at: str | None = Field(
        description="When charges and reports had followed it; null: the charge job is at it."
    )


class OwnershipAnswer(VersionAnswer):
    """A version of the rules."""

    timezone: str
    rules: list[RuleShape]
    splits: list[SplitShape]


class VersionsAnswer(BaseModel):
    """Every version, the latest first."""

    versions: list[VersionAnswer]


class TeamChange(BaseModel):
    """What a team pays, and for how many calls, before and after."""

    team: str
    before: str = Field(description="Effective cost, exact, in `currency`.")
    after: str
    difference: str
    calls_before: int
    calls_after: int


class RuleHits(BaseModel):
    """What a rule decides of the period; of terms with one name together."""

    rule: str
    calls: int
    cost: str


class PreviewAnswer(BaseModel):
    """What applying the rules would book."""

    currency: str
    elsewhere: list[str] = Field(
        description="Other currencies with charges in the period: they pass likewise, and are in no"
        " figure."
    )
    from_: str = Field(alias="from")
    to: str
    teams: list[TeamChange] = Field(description="Largest difference first.")
    rules: list[RuleHits] = Field(description="In order; one without calls fits nothing heard.")
    complete_until: str | None


def version_fields(version: Version) -> dict[str, JsonValue]:
    """What a version tells of itself."""
    return {
        "version": version.version,
        "known_from": instant(version.known_from),
        "known_to": instant(version.known_to),
        "source": version.source,
        "entered_by": version.entered_by,
        "followed_at": instant(version.followed_at),
    }


def ownership_answer(version: Version | None, timezone: str) -> OwnershipAnswer:
    """A version; None: nobody ever applied one."""
    if version is None:
        none = dict.fromkeys(("known_from", "known_to", "source", "entered_by", "followed_at"))
        nothing = {"version": 0, "timezone": timezone, "rules": [], "splits": []}
        return OwnershipAnswer.model_validate({**none, **nothing})
    return OwnershipAnswer.model_validate(version_fields(version) | fields_of(version.said))


def versions_answer(versions: Sequence[Version]) -> VersionsAnswer:
    """All versions."""
    told = [VersionAnswer.model_validate(version_fields(each)) for each in versions]
    return VersionsAnswer(versions=told)


def preview_answer(
    found: Preview, asked: Asked, currency: str, complete_until: str | None
) -> PreviewAnswer:
    """A preview."""
    teams = []
    for team in found.teams:
        before, after = found.of(team)
        teams.append(
            TeamChange(
                team=team,
                before=plain(before.cost),
                after=plain(after.cost),
                difference=plain(EXACT.subtract(after.cost, before.cost)),
                calls_before=before.calls,
                calls_after=after.calls,
            )
        )
    return PreviewAnswer(
        currency=currency,
        elsewhere=list(found.elsewhere),
        **{"from": asked.start},
        to=asked.end,
        teams=teams,
        rules=[
            RuleHits(rule=name, calls=each.calls, cost=plain(each.cost))
            for name, each in found.decided.items()
        ],
        complete_until=complete_until,
    )
