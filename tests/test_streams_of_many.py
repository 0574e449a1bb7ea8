"""Streams that two spans tell of, of many teams in one request."""

from spans import Told, call, heard, request, sightings

TEAMS = tuple(f"team-{number}" for number in range(12))


def streamed(team: str, number: int) -> Told:
    """A request of Logfire's whose answer streams: nothing is told of what it used."""
    return call(
        scope="logfire.openai",
        version="4.41.0",
        span_id=bytes([1, *(0,) * 6, number]),
        attributes={"team": team},
    )


def test_streams_of_many_teams_come_in_one_request() -> None:
    told = [streamed(team, number) for number, team in enumerate(TEAMS, 1)]
    services = [
        request(one, resource={"service.name": f"of-{team}"})
        for one, team in zip(told, TEAMS, strict=True)
    ]
    found = sightings(heard(*services))
    assert [one.owner.team for one in found] == list(TEAMS)
    alone = [one for body in services for one in sightings(heard(body))]
    assert [one.kin_id for one in found] == [one.kin_id for one in alone]
    assert len({one.kin_id for one in found}) == len(TEAMS)
