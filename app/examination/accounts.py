"""Keys: whether there are any, and whether somebody looks after them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from app.doors import addresses
from app.examination.findings import Finding, Looking, State
from app.pepper import has_pepper, pepper_for
from store.access.keys import Key, by_pepper, has_keys, list_keys
from store.tenants import TENANT

_UNUSED: Final = timedelta(days=90)
_ENDS_SOON: Final = timedelta(days=14)
_NAMED: Final = 2
_MAKE: Final = "spanledger keys create"


def keys(looking: Looking) -> Iterator[Finding]:
    """Whether a key is asked for; and which keys nobody looks after."""
    if not has_keys(looking.session):
        beyond = [str(a) for a in addresses(looking.settings).values() if not a.is_loopback]
        if beyond:
            said = f"none, and {', '.join(beyond)} is open to strangers"
            do = "spanledger keys create --kind admin --name me"
            yield Finding("keys", State.WRONG, said, do)
        else:
            yield Finding(
                "keys", State.WELL, "none, and none needed: only this machine can come in"
            )
        return
    found = list(_neglected(looking))
    yield from found or [Finding("keys", State.WELL, "asked for, used, and they expire")]


def _neglected(looking: Looking) -> Iterator[Finding]:
    now = looking.now
    there = [each for each in list_keys(looking.session, tenant=TENANT) if each.revoked_at is None]
    in_force = [each for each in there if each.in_force(now)]
    if not in_force:
        yield Finding("keys", State.WRONG, "all have expired: nobody can come in", _MAKE)
    if has_pepper(looking.settings):
        pepper = pepper_for(looking.settings)
        made = by_pepper(looking.session, tenant=TENANT, pepper=pepper, now=now)
        if made.elsewhere:
            said = f"{len(made.elsewhere)} were made with another pepper, and open nothing here"
            yield Finding("keys", State.WRONG, said, "set one SPANLEDGER_KEY_PEPPER everywhere")
    ending = [each for each in in_force if each.expires_at and each.expires_at - now < _ENDS_SOON]
    if ending:
        said = f"{_named(ending)} will have expired in {_ENDS_SOON.days} days"
        yield Finding("keys", State.LOOK, said, _MAKE)
    for_ever = [each for each in in_force if each.expires_at is None]
    if for_ever:
        said = f"{_named(for_ever)} never expire" + ("s" if len(for_ever) == 1 else "")
        yield Finding("keys", State.LOOK, said, "make ones with --expires, revoke these")
    idle = [each for each in in_force if now - (each.last_used_at or each.created_at) > _UNUSED]
    if idle:
        said = f"nobody used {_named(idle)} for {_UNUSED.days} days"
        yield Finding("keys", State.LOOK, said, "spanledger keys revoke")


def _named(keys: Sequence[Key]) -> str:
    """Some of their names, and how many more there are."""
    first = ", ".join(f"{each.name} ({each.id})" for each in keys[:_NAMED])
    return first if len(keys) <= _NAMED else f"{first} and {len(keys) - _NAMED} more"
