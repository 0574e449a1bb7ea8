"""Alert rules as fields, with their channels by name: what the API, files and commands say."""

from collections.abc import Mapping
from typing import Any

from spend.alerts.alert_rules import RuleTerms
from spend.alerts.rule_terms import changed_fields, fields_of_rule, rule_of_fields
from store.channel_names import channels_named


def rule_said(
    said: Mapping[str, Any],
    channels: Mapping[int, str],
    *,
    usual: Mapping[str, str],
    changes: RuleTerms | None = None,
) -> RuleTerms:
    """The terms that somebody said; ``changes`` are those that they change. Raises TermsRefused.

    ``channels`` are those that there are, id -> name; ``usual`` is what the ledger is kept in:
    ``currency`` and ``timezone``.
    """
    fields = said if changes is None else changed_fields(changes, said)
    ids: tuple[int, ...] = () if changes is None else changes.channel_ids
    if "channels" in said:
        ids = channels_named(said["channels"], channels)
    return rule_of_fields(fields, channel_ids=ids, usual=usual)


def rule_fields(terms: RuleTerms, channels: Mapping[int, str]) -> dict[str, Any]:
    """The fields that say these terms: JSON, exact numbers as strings."""
    return fields_of_rule(terms) | {
        "channels": [channels[each] for each in terms.channel_ids if each in channels]
    }
