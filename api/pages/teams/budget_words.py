"""How a month's budgets stand, in the word that their own pages have for it."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from api.pages.budgets.budget_stands import board_of
from api.pages.visitor import Visitor
from spend.statements.statements import Statement


def budget_words(
    session: Session, tenant: int, visitor: Visitor, found: Statement
) -> Mapping[int, str]:
    """By budget: WORDS of spend/budgets/budget_attention.py. Empty unless the month goes on."""
    running = found.month.start <= visitor.now < found.month.end
    if not running or found.books.as_known_at is not None:
        return {}
    if not any(part.budgets for part in found.parts):
        return {}
    stands = board_of(session, tenant, visitor.caller, visitor.now).stands
    return {number: each.word for number, each in stands.items()}
