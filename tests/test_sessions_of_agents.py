"""Two developers with one service name: their sessions are told, so their calls stay two."""

from typing import Any

import pytest
from observed import CLI, CLI_LOG
from sighted import SEARCH, sighting

from spend.calls import NO_DETAILS, Outcome
from spend.twins.kin import service_kin, session_kin
from spend.twins.twins import settle

MINE, YOURS = (session_kin(SEARCH.service, session) for session in ("mine", "yours"))
NOBODY = service_kin(SEARCH.service)
USED: dict[str, Any] = {"usage": {"input": 600, "output": 50}}
FAILED: dict[str, Any] = {"outcome": Outcome.RATE_LIMITED, "usage": {}, "details": NO_DETAILS}


@pytest.mark.parametrize("told", [USED, FAILED], ids=["answered", "failed"])
@pytest.mark.parametrize(("kin", "joined"), [(MINE, 1), (NOBODY, 1), (YOURS, 0)])
def test_what_two_sessions_did_at_the_same_moment_are_two_calls(
    told: dict[str, Any], kin: int, joined: int
) -> None:
    span = sighting(1, 1, emitter=CLI, kin_id=MINE, **told)
    log = sighting(2, 2, emitter=CLI_LOG, kin_id=kin, **told)
    assert len(settle([span, log]).joined) == joined
