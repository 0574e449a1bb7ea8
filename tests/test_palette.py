"""Each provider has one name that people read, and one colour, on every page."""

from reports.charts.palette import IDLE, NOBODY, OWN, hue_of, shown_name
from spend.providers import ENGINES, PROVIDERS


def test_every_provider_that_we_know_has_a_name_and_its_aliases_have_the_same() -> None:
    assert all(shown_name(each) != each for each in PROVIDERS)
    assert shown_name("vertex_ai") == shown_name("google") == "Google"
    assert hue_of("vertex_ai") == hue_of("google") != hue_of("openai")


def test_engines_of_our_own_have_one_colour_and_idle_is_grey() -> None:
    assert {hue_of(each) for each in ENGINES} == {OWN}
    assert (hue_of("idle"), hue_of("unallocated"), hue_of(None)) == (IDLE, NOBODY, NOBODY)


def test_a_provider_that_we_do_not_know_is_called_what_it_is_called() -> None:
    assert shown_name("acme<b>") == "acme<b>"
    assert shown_name(None) == "Unknown"
    assert hue_of("acme") == hue_of("ACME")
