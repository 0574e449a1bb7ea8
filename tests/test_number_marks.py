"""Numbers on pages: quick, and as Babel writes them."""

from decimal import Decimal

import pytest
from babel import Locale
from babel.numbers import format_currency, format_decimal

from api.pages.number_marks import money_text, number_text
from api.pages.visitor import LOCALES

AMOUNTS = [
    Decimal(text)
    for text in ("0", "0.005", "-0.125", "7.5", "-1234.5", "1234.565", "-98765432109876.999")
]


@pytest.mark.parametrize("name", LOCALES)
def test_numbers_are_written_as_the_language_writes_them(name: str) -> None:
    """To the mark, in every language that is offered; India groups otherwise than by three."""
    locale = Locale.parse(name, sep="-")
    for amount in AMOUNTS:
        assert number_text(amount, locale) == format_decimal(amount, locale=locale)
        assert number_text(int(amount), locale) == format_decimal(int(amount), locale=locale)
        for currency in ("USD", "EUR", "JPY", "CHF", "KWD"):
            expected = format_currency(amount, currency, locale=locale)
            assert money_text(amount, currency, locale) == expected
