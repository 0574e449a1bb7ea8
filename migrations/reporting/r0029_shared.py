"""What the views of revision 0029 have in common: whose rows, who pays, what was called."""

from typing import Final

from migrations.reporting.views import Column

TENANT: Final = 1
"""The only one that there is (store/tenants.py)."""

METERS: Final = (
    ("input", "input_tokens", "Tokens of the prompt that came from no cache."),
    ("cache_read", "cache_read_tokens", "Tokens of the prompt that came from a cache."),
    (
        "cache_write",
        "cache_write_unspecified_tokens",
        "Tokens written to a cache, for how long was not told.",
    ),
    ("cache_write_5m", "cache_write_5m_tokens", "Tokens written to a cache for 5 minutes."),
    ("cache_write_1h", "cache_write_1h_tokens", "Tokens written to a cache for an hour."),
    ("output", "output_tokens", "Tokens that were answered."),
    ("reasoning", "reasoning_tokens", "Of output_tokens, those of reasoning."),
    ("input_audio", "input_audio_tokens", "Of input_tokens, those of audio."),
    ("output_audio", "output_audio_tokens", "Of output_tokens, those of audio."),
    ("input_image", "input_image_tokens", "Of input_tokens, those of images."),
    ("output_image", "output_image_tokens", "Of output_tokens, those of images."),
    ("tool_calls", "tool_calls", "Requests to tools of the provider that it bills."),
    ("images", "images", "Images that were made."),
    ("seconds", "audio_seconds", "Seconds of audio, transcribed or spoken."),
    ("prefill_ms", "prefill_ms", "Milliseconds in which a model server read prompts."),
    ("decode_ms", "decode_ms", "Milliseconds in which a model server wrote answers."),
)
"""Column of the tables, column of the views, what it counts."""

DISJOINT: Final = (
    *("input", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "output"),
)
"""Their sum is every token."""

OWNER: Final = (
    Column("team", "text", "Who pays; unallocated: nobody claimed it, idle: nobody used it."),
    Column("project", "text", "Of the payer; NULL: not told."),
    Column("service", "text", "Of the payer; NULL: not told."),
    Column("environment", "text", "Of the payer; NULL: not told."),
    Column("feature", "text", "Of the payer; NULL: not told."),
    Column("customer", "text", "Of the payer; NULL: not told."),
)
ROUTE: Final = (
    Column("provider", "text", "Who bills for the call; of a pool what it is declared as."),
    Column("model", "text", "As reports show it; NULL: not told, or not of one model."),
    Column("request_model", "text", "The model that was asked for, where it is told."),
    Column("operation", "text", "chat, embeddings, …"),
    Column("deployment", "text", "api, hosted-open or self-hosted."),
    Column("region", "text", "Where it ran, where it is told."),
)

OWNERS: Final = f"""
    SELECT id, team, project, service, environment, feature, customer
    FROM owners WHERE tenant_id = {TENANT}
"""  # noqa: S608  # a constant
SHOWN_ROUTES: Final = f"""
    SELECT of_all.id, of_all.provider, coalesce(answering.model, of_all.model) AS model,
        of_all.request_model, of_all.operation, of_all.deployment, of_all.region
    FROM routes AS of_all LEFT JOIN (
        SELECT provider, request_model, min(model) AS model FROM routes
        WHERE tenant_id = {TENANT} AND model <> request_model
        GROUP BY provider, request_model HAVING count(DISTINCT model) = 1
    ) AS answering
        ON answering.provider = of_all.provider AND answering.request_model = of_all.model
    WHERE of_all.tenant_id = {TENANT}
"""  # noqa: S608  # constants
"""A failure beside the successes of its model, as in store/breakdowns/shown_routes.py."""


def paid_for(rows: str) -> str:
    """The join that finds who pays for rows with owner_id and slot; see ``payer_of``."""
    return (
        f"LEFT JOIN payers ON payers.tenant_id = {TENANT} AND payers.owner_id = {rows}.owner_id"
        f" AND payers.valid_from <= {rows}.slot AND payers.valid_to > {rows}.slot"
    )


def payer_of(rows: str) -> str:
    """The id of who pays."""
    return f"coalesce(payers.payer_id, {rows}.owner_id)"


def named(rows: str) -> str:
    """The joins that find the names of rows with payer_id and route_id: ``whose``, ``what``.

    Outer ones: money whose owner is in no dictionary is counted all the same.
    """
    return (
        f"LEFT JOIN ({OWNERS}) AS whose ON whose.id = {rows}.payer_id"
        f" LEFT JOIN ({SHOWN_ROUTES}) AS what ON what.id = {rows}.route_id"
    )


DIMENSIONS: Final = ", ".join(
    [*(f"whose.{each.name}" for each in OWNER), *(f"what.{each.name}" for each in ROUTE)]
)
