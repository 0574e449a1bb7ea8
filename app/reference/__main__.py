"""``make reference``: writes docs/reference/ from the code."""

from pathlib import Path

from app.reference.pages import all_pages, described_api

if __name__ == "__main__":
    folder = Path(__file__).parents[2] / "docs" / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in all_pages(described_api().openapi()).items():
        (folder / name).write_text(text, encoding="utf-8")
