"""What was said in a call, for its page: for whoever may read it; else why there is nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from api.calls.call_content import content_of_call
from api.pages.visitor import Visitor
from spend.access.roles import Permission
from spend.contents.conversations import Turn, turns_of
from store.calls.call_lookup import FoundCall
from store.contents.content_policies import policy_of


@dataclass(frozen=True, slots=True)
class Said:
    """What a page tells of it."""

    on: bool
    """Whether content is kept now."""
    is_theirs: bool
    """Whether the visitor may read it."""
    turns: Sequence[Turn] = ()
    cut: bool = False
    """Whether something was left out, as there was too much."""


def said_in(session: Session, tenant: int, visitor: Visitor, call: FoundCall) -> Said:
    """What was said in a call, as far as the visitor may read it."""
    on = policy_of(session, tenant).terms.on
    if not visitor.may(Permission.CONTENT):
        return Said(on, is_theirs=False)
    told = content_of_call(session, tenant, call)
    return Said(on, is_theirs=True, turns=turns_of(told), cut=any(each.cut for each in told))
