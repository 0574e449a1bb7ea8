"""The reference tells all that there is: what is added without it fails here."""

from pathlib import Path

import pytest

from app.reference.markdown import NotDescribedError
from app.reference.pages import all_pages
from app.reference.settings import settings_page
from app.settings import Settings

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
HOW = "the code says otherwise: make reference"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(all_pages())


def test_the_reference_is_what_the_code_says(pages: dict[str, str]) -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    assert written.keys() == pages.keys(), HOW
    assert [name for name, text in pages.items() if written[name] != text] == [], HOW


def test_a_setting_that_is_added_is_missed(pages: dict[str, str]) -> None:
    class More(Settings):
        """And one more."""

        colour: bool = Settings.model_fields["spool"]

    assert "| `COLOUR` |" in settings_page(More)
    assert settings_page(More) != pages["settings.md"]


def test_a_setting_without_a_description_is_refused() -> None:
    class More(Settings):
        """And one more."""

        colour: bool = True

    with pytest.raises(NotDescribedError, match="COLOUR"):
        settings_page(More)
