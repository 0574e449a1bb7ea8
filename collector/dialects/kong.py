"""Kong's AI gateway."""

from typing import Final

from collector.dialects.table import Dialect

KONG: Final = Dialect(name="kong", columns={"team": ("kong.auth.consumer.name",)})
