"""What the demo makes up never meets real calls, unless somebody says so."""

from pathlib import Path

import pytest

from app.commands.demo import in_a_folder_of_its_own
from app.settings import default_data_dir, read_settings


def test_the_demo_keeps_a_ledger_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPANLEDGER_DATA_DIR", raising=False)
    monkeypatch.delenv("SPANLEDGER_DATABASE_URL", raising=False)
    assert in_a_folder_of_its_own(read_settings()).data_dir == default_data_dir() / "demo"


def test_whoever_names_a_folder_or_a_database_gets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(tmp_path))
    assert in_a_folder_of_its_own(read_settings()).data_dir == tmp_path
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", "postgresql://u:p@127.0.0.1/x")
    assert in_a_folder_of_its_own(read_settings()) == read_settings()
