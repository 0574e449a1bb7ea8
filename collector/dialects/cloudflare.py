"""Cloudflare's AI gateway. It names no operation, and puts an application's own words beside.

Source: its documentation, "AI Gateway, OpenTelemetry". What the application sends as metadata
(``cf-aig-metadata``) stands on the span without a prefix.
"""

from typing import Final

from collector.dialects.table import Dialect, Mark, Verdict

CLOUDFLARE: Final = Dialect(
    name="cloudflare",
    who="Cloudflare's AI gateway.",
    to_know="What an application sends as metadata stands on the span without a prefix.",
    scopes=("cloudflare*",),
    columns={"provider": ("gen_ai.model.provider",)},
    own={
        "user": ("user_id", "user"),
        "session": ("session_id",),
        "team": ("team", "team_id"),
        "project": ("project",),
    },
    # Nobody else has this word.
    marks=(Mark("gen_ai.model.provider", {"*": Verdict.CALL}),),
    serves=True,
)
