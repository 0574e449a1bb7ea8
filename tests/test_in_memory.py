"""Tests that run beside each other take no folder from one another, and leave none."""

from pathlib import Path

import in_memory
import pytest


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(in_memory, "_MEMORY", tmp_path)
    monkeypatch.setattr(in_memory, "_ROOM", 0)
    return tmp_path


def test_what_killed_tests_left_goes_and_what_others_use_or_own_stays(
    memory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    left, link, alien = (memory / f"{in_memory._NAME}{name}" for name in ("left", "link", "alien"))
    (left / "data").mkdir(parents=True)
    link.symlink_to(elsewhere)
    alien.write_text("no folder")
    with in_memory.folder_in_memory(elsewhere) as first:
        assert not left.exists()
        with in_memory.folder_in_memory(elsewhere) as second:
            assert first.is_dir()
            assert {first.parent, second.parent} == {memory}
            assert first != second
    assert {each.name for each in memory.iterdir()} == {link.name, alien.name}
    assert elsewhere.is_dir()


@pytest.mark.parametrize("lacks", ["memory", "room", "leave"])
def test_where_memory_is_not_for_us_another_folder_is_used(
    lacks: str, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> str:
        raise PermissionError

    match lacks:
        case "memory":
            monkeypatch.setattr(in_memory, "_MEMORY", memory / "nowhere")
        case "room":
            monkeypatch.setattr(in_memory, "_ROOM", 1024**6)
        case _:
            monkeypatch.setattr("in_memory.tempfile.mkdtemp", refused)
    with in_memory.folder_in_memory(tmp_path) as used:
        assert used == tmp_path
    assert tmp_path.is_dir()
