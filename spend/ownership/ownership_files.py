"""Ownership as people write it, in a TOML or JSON file or a request: read, checked, refused."""

import json
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from spend import money
from spend.owners import IDLE, LONGEST_NAME, RESERVED, UNALLOCATED, clean_name, is_reserved
from spend.ownership.ownership import FIRST, GIVEN, LAST, MATCHED, SAID, Match, Rule
from spend.ownership.splits import BY_USAGE, SHARES, Split
from spend.periods import FIRST_YEAR, LAST_YEAR, Period, day_start, days_in
from spend.slots import is_slot_start
from spend.zones import zone_named

MOST_RULES: Final = 2000
MOST_SPLITS: Final = 200
MOST_VALUES: Final = 1000

_RULE_FIELDS: Final = ("name", "match", "gives", "from", "to")
_SPLIT_FIELDS: Final = ("name", "match", "shares", "weights", "by", "teams", "from", "to")
_HUNDRED: Final = Decimal(100)
_NEVER_HEARD: Final = RESERVED - {UNALLOCATED}


class OwnershipRefusedError(ValueError):
    """The rules make no sense, and none was taken: mend ``field`` of what stands at ``place``."""

    def __init__(self, field: str, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.place = place
        """``rules 2``, ``splits 1`` (from 1); '' where it is about the whole."""

    @property
    def where(self) -> str:
        """Place and field, as people read it."""
        return f"{self.place}, {self.field}" if self.place else self.field


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who pays for whose calls, and which shared costs are split: a whole file."""

    timezone: str
    """IANA name. The days that splits go by are days of it, and so are dates without a time."""
    rules: tuple[Rule, ...] = ()
    splits: tuple[Split, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    @property
    def names(self) -> set[str]:
        """What its rules and splits are called."""
        return {rule.name for rule in self.rules} | {split.name for split in self.splits}

    def bounds(self, start: datetime, end: datetime) -> set[datetime]:
        """Where, within a time (UTC), a rule, a split or a day that is split begins or ends."""
        every: list[Rule | Split] = [*self.rules, *self.splits]
        found = {bound for each in every for bound in (each.valid_from, each.valid_to)}
        if self.splits:
            found |= {day_start(day, self.zone) for day in days_in(Period(start, end), self.zone)}
        return {start, *(bound for bound in found if start < bound < end)}


def ownership_of_file(text: str, *, toml: bool, timezone: str) -> Ownership:
    """What a file says: ``[[rules]]`` and ``[[splits]]`` in TOML; in JSON an object of both lists.

    ``timezone`` is that of a file which names none. Raises OwnershipRefusedError.
    """
    try:
        said = (
            tomllib.loads(text, parse_float=str)
            if toml
            # Through a float, 33.3 would no longer be 33.3.
            else json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        )
    except (ValueError, RecursionError) as error:
        raise OwnershipRefusedError("file", f"not {'TOML' if toml else 'JSON'}: {error}") from error
    if not isinstance(said, dict):
        raise OwnershipRefusedError("file", "must be an object with rules and splits")
    return ownership_of_fields(said, timezone=timezone)


def ownership_of_fields(said: Mapping[str, Any], *, timezone: str) -> Ownership:
    """What these fields say: timezone, rules, splits. Raises OwnershipRefusedError."""
    _known_only(said, ("timezone", "rules", "splits"))
    if not said.keys() & {"rules", "splits"}:
        reason = "is missing: to end every rule, say that there are none: rules = []"
        raise OwnershipRefusedError("rules", reason)
    named = said.get("timezone", timezone)
    try:
        zone = zone_named(named) if isinstance(named, str) else None
    except ValueError as unknown:
        raise OwnershipRefusedError("timezone", str(unknown)) from None
    if zone is None:
        raise OwnershipRefusedError("timezone", "must be text, such as Europe/Berlin")
    rules, splits = [], []
    for place, item in _items(said, "rules", MOST_RULES):
        with _At(place):
            rules.append(_rule(item, zone))
    for place, item in _items(said, "splits", MOST_SPLITS):
        with _At(place):
            splits.append(_split(item, zone))
    _check_names("rules", rules)
    _check_names("splits", splits)
    _check_targets(splits)
    return Ownership(zone.key, tuple(rules), tuple(splits))


def fields_of(ownership: Ownership) -> dict[str, Any]:
    """What ``ownership_of_fields`` makes the same of: JSON without numbers, moments in UTC."""
    return {
        "timezone": ownership.timezone,
        "rules": [
            {"name": rule.name, "match": _lists(rule.match), "gives": dict(rule.gives)}
            | _term_of(rule)
            for rule in ownership.rules
        ],
        "splits": [
            {"name": split.name, "match": _lists(split.match)} | _terms_of(split) | _term_of(split)
            for split in ownership.splits
        ],
    }


def _lists(match: Match) -> dict[str, list[str]]:
    return {name: list(values) for name, values in match.items()}


def _terms_of(split: Split) -> dict[str, Any]:
    if split.by != SHARES:
        return {"by": split.by} | ({"teams": list(split.teams)} if split.teams else {})
    name = "shares" if sum(split.shares.values()) == _HUNDRED else "weights"
    return {name: {team: f"{share.normalize():f}" for team, share in split.shares.items()}}


def _term_of(each: Rule | Split) -> dict[str, str]:
    told = {"from": (each.valid_from, FIRST), "to": (each.valid_to, LAST)}
    return {name: f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, (at, none) in told.items() if at != none}


class _At:
    """Adds the place to what is refused within."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OwnershipRefusedError) and not error.place:
            raise OwnershipRefusedError(error.field, error.reason, self._place) from None


def _items(said: Mapping[str, Any], name: str, most: int) -> list[tuple[str, Mapping[str, Any]]]:
    items = said.get(name, [])
    if not isinstance(items, list) or len(items) > most:
        raise OwnershipRefusedError(name, f"must be a list of at most {most:,}")
    for place, item in enumerate(items, 1):
        if not isinstance(item, Mapping):
            raise OwnershipRefusedError(name, "must be an object", f"{name} {place}")
    return [(f"{name} {place}", item) for place, item in enumerate(items, 1)]


def _known_only(said: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in said:
        if name not in known:
            reason = f"unknown field; there are {', '.join(known)}"
            raise OwnershipRefusedError(str(name)[:100], reason)


def _rule(said: Mapping[str, Any], zone: ZoneInfo) -> Rule:
    _known_only(said, _RULE_FIELDS)
    name = _text(said.get("name"), "name")
    match = _match(said.get("match"), MATCHED)
    gives = said.get("gives")
    if not isinstance(gives, Mapping):
        raise OwnershipRefusedError("gives", "is missing: such as { team = 'search' }")
    for dimension in gives:
        if dimension not in GIVEN:
            reason = f"cannot be given; what can are {', '.join(GIVEN)}"
            raise OwnershipRefusedError(f"gives.{str(dimension)[:100]}", reason)
    given = {each: _text(gives[each], f"gives.{each}") for each in GIVEN if each in gives}
    _team(given.get("team"), "gives.team")
    start, end = _term(said, zone)
    return Rule(name, match, given, start, end)


def _split(said: Mapping[str, Any], zone: ZoneInfo) -> Split:
    _known_only(said, _SPLIT_FIELDS)
    name = _text(said.get("name"), "name")
    match = _match(said.get("match"), SAID)
    if "team" not in match:
        raise OwnershipRefusedError("match.team", "is missing: whose cost is split?")
    ways = [way for way in ("shares", "weights", "by") if way in said]
    if len(ways) != 1:
        raise OwnershipRefusedError("by", "say one of shares, weights and by")
    by, shares, teams = SHARES, dict[str, Decimal](), tuple[str, ...]()
    if ways == ["by"]:
        by = _by(said["by"])
        teams = _teams(said.get("teams"))
    elif "teams" in said:
        raise OwnershipRefusedError("teams", f"goes with by; {ways[0]} name their teams")
    else:
        shares = _shares(said[ways[0]], ways[0])
    start, end = _term(said, zone)
    return Split(name, match, by, shares, teams, start, end)


def _by(value: object) -> str:
    if value not in BY_USAGE:
        raise OwnershipRefusedError("by", f"must be one of {', '.join(BY_USAGE)}")
    return str(value)


def _teams(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise OwnershipRefusedError("teams", f"must be a list of 1 to {MOST_VALUES} teams")
    teams = tuple(_team(_text(each, "teams"), "teams") for each in value)
    if len(set(teams)) < len(teams):
        raise OwnershipRefusedError("teams", "one is there twice")
    return teams


def _shares(value: object, field: str) -> dict[str, Decimal]:
    if not isinstance(value, Mapping) or not 0 < len(value) <= MOST_VALUES:
        raise OwnershipRefusedError(field, "must be teams with their shares: { a = 60, b = 40 }")
    shares = {}
    for key, number in value.items():
        team = _team(_text(key, field), f"{field}.{key}")
        shares[team] = _number(number, f"{field}.{team}")
    if len(shares) < len(value):
        raise OwnershipRefusedError(field, "a team is there twice")
    total = sum(shares.values(), Decimal(0))
    if field == "shares" and total != _HUNDRED:
        raise OwnershipRefusedError(field, f"must add up to 100; they are {total.normalize():f}")
    return shares


def _number(value: object, field: str) -> Decimal:
    try:
        # A float is not exact; a file's number has been kept as text.
        number = Decimal(str(value).strip()) if type(value) in {str, int} else None
        plain = number is not None and number.is_finite() and "e" not in str(value).lower()
    except InvalidOperation:
        number, plain = None, False
    if number is None or not plain:
        raise OwnershipRefusedError(field, 'must be a number, or as text such as "33.5"')
    if not 0 < number < money.PRICE_LIMIT:
        raise OwnershipRefusedError(field, f"must be more than 0 and less than {money.PRICE_LIMIT}")
    if number != money.quantised(number):
        raise OwnershipRefusedError(field, f"has more than {money.PRICE_DIGITS} decimals")
    return money.quantised(number)


def _team(name: str | None, field: str) -> str:
    if name is None:
        raise OwnershipRefusedError(field, "is missing: who pays?")
    if is_reserved(name):
        raise OwnershipRefusedError(field, f"{name} is reserved: it cannot be given")
    return name


def _text(value: object, field: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        reason = f"must be 1 to {LONGEST_NAME} characters that can be shown"
        raise OwnershipRefusedError(field[:300], reason)
    return clean_name(text) or text


def _match(value: object, dimensions: Sequence[str]) -> Match:
    known = ", ".join(dimensions)
    if not isinstance(value, Mapping) or not value:
        raise OwnershipRefusedError("match", f"name at least one of {known}, with its values")
    match: dict[str, tuple[str, ...]] = {}
    for dimension, values in value.items():
        field = f"match.{str(dimension)[:100]}"
        if dimension not in dimensions:
            raise OwnershipRefusedError(field, f"unknown dimension; there are {known}")
        listed = [values] if isinstance(values, str) else values
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_VALUES:
            raise OwnershipRefusedError(field, f"must be a list of 1 to {MOST_VALUES} values")
        # An empty one stands for what was not said; a team there always is.
        texts = tuple("" if each == "" else _text(each, field) for each in listed)
        if any("*" in each[:-1] for each in texts):
            raise OwnershipRefusedError(field, "* may stand at the end only")
        match[str(dimension)] = texts
    if set(match.get("team", ())) & _NEVER_HEARD:
        reason = f"{IDLE} and unused are lines of their own: spreading them is a view"
        raise OwnershipRefusedError("match.team", reason)
    return match


def _term(said: Mapping[str, Any], zone: ZoneInfo) -> tuple[datetime, datetime]:
    start = FIRST if said.get("from") is None else _moment(said["from"], "from", zone)
    end = LAST if said.get("to") is None else _moment(said["to"], "to", zone)
    if end <= start:
        raise OwnershipRefusedError("to", "must be after from")
    return start, end


def _moment(value: object, field: str, zone: ZoneInfo) -> datetime:
    try:
        # TOML has dates and times of its own.
        said = value if isinstance(value, date) else datetime.fromisoformat(cast("str", value))
        moment = _in_zone(said, zone)
    except (TypeError, ValueError, OverflowError):
        reason = "must be a date or time such as 2026-10-17 or 2026-10-17T08:00:00Z"
        raise OwnershipRefusedError(field, reason) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise OwnershipRefusedError(field, f"the year must be {FIRST_YEAR} to {LAST_YEAR}")
    if not is_slot_start(moment):
        raise OwnershipRefusedError(field, "must be on a quarter hour")
    return moment


def _in_zone(said: date, zone: ZoneInfo) -> datetime:
    """A day's first moment; a time without an offset by the zone's clock."""
    if not isinstance(said, datetime):
        return day_start(said, zone)
    if said.tzinfo is not None:
        return said.astimezone(UTC)
    is_day = said.time() == time()
    return day_start(said.date(), zone) if is_day else said.replace(tzinfo=zone).astimezone(UTC)


def _check_names(kind: str, said: Sequence[Rule | Split]) -> None:
    of_name: dict[str, list[Rule | Split]] = defaultdict(list)
    for place, each in enumerate(said, 1):
        if any(_meet(each, other) for other in of_name[each.name]):
            reason = f"there is another {each.name!r} at the same time"
            raise OwnershipRefusedError("name", reason, f"{kind} {place}")
        of_name[each.name].append(each)


def _check_targets(splits: Sequence[Split]) -> None:
    """Nobody's share is split again: so there is no circle, and no order that matters."""
    for place, split in enumerate(splits, 1):
        for team in (*split.shares, *split.teams):
            for other in splits:
                if other.takes_from(team) and _meet(split, other):
                    field = f"shares.{team}" if split.shares else "teams"
                    reason = f"{team} is itself split, by {other.name!r}"
                    raise OwnershipRefusedError(field, reason, f"splits {place}")


def _meet(one: Rule | Split, other: Rule | Split) -> bool:
    return one.valid_from < other.valid_to and other.valid_from < one.valid_to
