"""What the page on dialects says of emitters is what their captures were held to."""

from emitters import PAGE, table, within


def test_the_table_of_emitters_is_that_of_the_captures() -> None:
    _, here, _ = within(PAGE.read_text(encoding="utf-8"))
    assert here == table(), "run: python tests/emitters.py"
