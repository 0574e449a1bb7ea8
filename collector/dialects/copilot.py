"""GitHub Copilot: its chat in VS Code, and its command line. It speaks the conventions."""

from typing import Final

from collector.dialects.table import Dialect

COPILOT: Final = Dialect(
    name="copilot",
    who="GitHub Copilot: its chat in VS Code and its command line, spans and logs.",
    to_know="Written from its source; its logs know nothing of the cache.",
    scopes=("copilot-chat*", "github?copilot*"),
    # Its logs do not say who bills.
    engine="github",
    columns={
        "ttft_ms": ("copilot_chat.time_to_first_token", "github.copilot.time_to_first_token"),
        "request_id": ("copilot_chat.server_request_id",),
        "session": ("copilot_chat.chat_session_id", "copilot_chat.session_id"),
    },
)
