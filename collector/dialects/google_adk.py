"""Google's agent kit (ADK)."""

from typing import Final

from collector.dialects.table import Dialect

GOOGLE_ADK: Final = Dialect(name="google-adk", scopes=("gcp.vertex.agent*",))
