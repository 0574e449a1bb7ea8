"""Eight senders, killed at random, Slack in trouble: each alert is seen once, and none is lost.

The long form is ``make soak`` (tests/faults/senders.py).
"""

import pytest
from senders_torture import SHORT_LEASE, tortured

pytestmark = pytest.mark.one_server


def test_every_alert_is_seen_once_though_senders_are_killed_and_slack_fails(
    database_url: str,
) -> None:
    found = tortured(database_url, rounds=3, seed=7, pace=0.3, lease=SHORT_LEASE)
    assert found.broken == []
    assert found.messages >= 40
    assert found.kills
    assert found.answers["well"] < found.answers.total()
