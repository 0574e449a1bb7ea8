"""Text that strangers chose, as the models' server passes it on."""

from app.mcp.untrusted import MOST, plain_text, shown


def test_text_is_as_one_sees_it_and_has_an_end() -> None:
    assert plain_text("a\nb\r\nc\u2028d\te") == "a b c d e"
    assert plain_text("\x1b[2J\x9b\u200b\u202e\ufeff") == "\ufffd[2J" + "\ufffd" * 4
    assert plain_text("ok\U000e0049\U000e0067\ufe0f\U000e0100") == "ok" + "\ufffd" * 4
    assert plain_text("größe 模型 🙂") == "größe 模型 🙂"
    assert plain_text("x" * 10_000) == "x" * (MOST - 1) + "…"
    assert shown({"a\x00": ["b\x07", 1, None, {"c": "d"}]}) == {
        "a\ufffd": ["b\ufffd", 1, None, {"c": "d"}]
    }
