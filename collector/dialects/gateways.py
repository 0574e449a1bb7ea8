"""Gateways that emit what passes through them."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

LITELLM: Final = Dialect(
    name="litellm",
    scopes=("litellm*",),
    columns={
        "request_model": ("litellm.provider.model",),
        "team": ("metadata.user_api_key_team_alias", "metadata.user_api_key_team_id"),
        "project": ("metadata.user_api_key_project_alias", "metadata.user_api_key_project_id"),
        "user": ("metadata.user_api_key_user_id", "metadata.user_api_key_end_user_id"),
        "cost_given": ("gen_ai.cost.total_cost",),
    },
    # The provider's answer once more, beneath the call.
    marks=(Mark(SPAN_NAME, {"raw_gen_ai_request": Verdict.OTHER}, scope="litellm*"),),
)

KONG: Final = Dialect(name="kong", columns={"team": ("kong.auth.consumer.name",)})
