"""The calls that prove a running system: how they are told from others, and what they cost.

Their price lines come with a version, as the public list does. A token costs some of the smallest
units of the ledger: ten thousand runs come to less than a hundredth of a cent, and the ledger is
never told of money that somebody could miss.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from spend.prices.feeds import ALWAYS, CURRENCY
from spend.prices.prices import LIST, PriceLine

PROVIDER: Final = "spanledger"
MODEL: Final = "canary"
TEAM: Final = "spanledger-canary"
SERVICE: Final = "spanledger-canary"
OPERATION: Final = "chat"
NO_TRACE: Final = b"canary"
"""The trace id, which is none, of the span that a canary sends to see it refused."""
REFUSED: Final = "trace_id: not 16 bytes, as a canary sends it to see it refused"
"""Why it is: said apart, so that nobody looks for a sender that is in order."""

ATOMS: Final[Mapping[str, int]] = {"cache_read": 1, "input": 2, "output": 5}
"""What a token costs by meter, in 1e-12 of CURRENCY. Each differs, so that none stands for another.
"""

_OF_MILLION: Final = -6
"""1,000,000 tokens at 1e-12 each, as a power of ten."""


def price_lines() -> tuple[PriceLine, ...]:
    """What the price book says of these calls."""
    return tuple(
        PriceLine(
            book=LIST,
            provider=PROVIDER,
            model=MODEL,
            meter=meter,
            unit_price=Decimal(atoms).scaleb(_OF_MILLION),
            currency=CURRENCY,
            valid_from=ALWAYS,
            source="spanledger canary",
        )
        for meter, atoms in ATOMS.items()
    )


def cost_of(tokens: Mapping[str, int]) -> Decimal:
    """What tokens by meter come to, in CURRENCY: reckoned here, and not by what prices calls.

    Raises KeyError for a meter without a price.
    """
    return Decimal(sum(count * ATOMS[meter] for meter, count in tokens.items())).scaleb(-12)
