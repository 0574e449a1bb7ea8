"""What coding agents' sightings of one call have in common, whatever signal tells of it."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from collector.dialects import DIALECTS
from collector.dialects.table import Kin
from collector.understanding.columns import ABSENT, Columns
from collector.understanding.otlp import Ints
from spend.calls import Owner
from spend.twins.kin import service_kin, session_kin

_OF: Final = np.array([dialect.kin or 0 for dialect in DIALECTS] + [0])
"""By a dialect's number; the last is for none, whose number is -1."""


def agents_kin(
    columns: Columns, dialect: Ints, owner_id: Ints, owners: Mapping[int, Owner]
) -> pa.Int64Array:
    """Each sighting's kin, null for those of emitters whose ids meet."""
    how = _OF[dialect]
    session = np.where(how == Kin.SESSION, columns.text("session"), ABSENT)
    related = np.flatnonzero((how == Kin.SERVICE) | (session != ABSENT))
    kin = np.zeros(len(columns), dtype=np.int64)
    if len(related):
        pairs = np.stack([owner_id[related], session[related]], axis=1)
        found, alike = np.unique(pairs, axis=0, return_inverse=True)
        ids = [_kin(owners[owner].service, columns.texts, told) for owner, told in found.tolist()]
        kin[related] = np.array(ids, dtype=np.int64)[alike.reshape(-1)]
    return pa.array(kin, mask=kin == 0)


def _kin(service: str | None, texts: list[str], session: int) -> int:
    return service_kin(service) if session == ABSENT else session_kin(service, texts[session])
