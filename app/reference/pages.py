"""The pages of the reference: each is a function of what it tells about."""

from collections.abc import Mapping

from app.cli import cli
from app.reference.commands import commands_page
from app.reference.settings import settings_page
from app.settings import Settings


def all_pages() -> Mapping[str, str]:
    """Each page's text by the name of its file. Raises NotDescribedError."""
    return {
        "settings.md": settings_page(Settings),
        "commands.md": commands_page(cli),
    }
