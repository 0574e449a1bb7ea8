"""The lines that the ledger lacks, in columns, for whatever is plain; the rest goes by rows.

Plain is a meter of a place at which at most one price stands in the ledger, and whose price does
not depend on the month's volume. There a line stands as it is, or it is reversed as it was posted
and posted anew. All else that can be, ``jobs/charging/lacking.py`` knows; of the plain it says the
same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from jobs.charging.lacking import Said
from jobs.charging.rate_cells import Column, Rated, moment_of
from spend.prices.prices import PriceLine
from spend.prices.rating import CHARGED, METHOD, Rate
from store.ledger.ledger import CORRECTION, ORIGINAL, PLACE
from store.ledger.ledger_columns import NEW
from store.ownership.payers import Paying

_KEY: Final = [*PLACE, "meter"]
_COUNTS: Final = ["quantity", "amount", "list_amount"]
_CODES: Final = {meter: number for number, meter in enumerate(CHARGED)}
_NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Plain:
    """What is lacking of the plain, and what is left for rows."""

    lines: pa.Table
    """To post: columns NEW of store/ledger/ledger_columns.py."""
    rated: Rated
    """Left, as the next."""
    posted: pa.Table


@dataclass(frozen=True, slots=True)
class _Wanted:
    rows: pd.DataFrame
    """Columns _KEY, ``rate``, ``is_plain``, and _COUNTS: 0 where they are not plain."""
    rates: Sequence[Rate]


def take_plain(
    rated: Rated,
    posted: pa.Table,
    said: Said,
    paying: Paying,
    has_steps: Callable[[PriceLine], bool],
) -> Plain:
    """Takes the plain from what places are to cost and what is posted there (STANDING)."""
    wanted = _wanted(rated, has_steps)
    held = _held(posted, said, has_steps)
    keys = pd.concat([wanted.rows[_KEY], held[_KEY]])
    number = keys.groupby(_KEY, sort=False).ngroup().to_numpy()
    of_wanted, of_held = number[: len(wanted.rows)], number[len(wanted.rows) :]
    count = int(number.max(initial=_NONE)) + 1
    stands = held["stands"].to_numpy()
    odd = np.bincount(of_held[stands], minlength=count) > 1
    odd[of_wanted[~wanted.rows["is_plain"].to_numpy()]] = True
    odd[of_held[~held["is_plain"].to_numpy()]] = True
    want = _row_of(of_wanted, np.arange(len(of_wanted)), count)
    have = _row_of(of_held[stands], np.flatnonzero(stands), count)
    payer = _payers(wanted.rows, paying)
    said_of = np.array([said.by_rate(each) for each in wanted.rates], dtype=np.int64)
    both = np.flatnonzero((want >= 0) & (have >= 0) & ~odd)
    one, other = want[both], have[both]
    alike = (payer[one] == held["payer_id"].to_numpy()[other]) & (
        said_of[wanted.rows["rate"].to_numpy()[one]] == held["said"].to_numpy()[other]
    )
    as_much = _units(wanted.rows["quantity"].to_numpy()[one])
    more = pc.not_equal(as_much, posted["quantity"].take(pa.array(other)).combine_chunks())
    odd[both[alike & more.to_numpy(zero_copy_only=False)]] = True
    changes = ~odd
    changes[both[alike]] = False
    lines = pa.concat_tables(
        [
            _reversed(posted.take(pa.array(have[changes & (have >= 0)])), said),
            _new(wanted, want[changes & (want >= 0)], payer, have[changes & (want >= 0)] >= 0),
        ]
    )
    return Plain(
        lines, _only(rated, odd[of_wanted]), posted.filter(pa.array(odd[of_held], pa.bool_()))
    )


def _row_of(number: Column, row: Column, count: int) -> Column:
    found = np.full(count, _NONE, dtype=np.int64)
    found[number] = row
    return found


def _wanted(rated: Rated, has_steps: Callable[[PriceLine], bool]) -> _Wanted:
    rates: list[Rate] = []
    frames = []
    for meter, lines in rated.lines.items():
        numbers, plain = [], []
        for each in rated.rates:
            rate = each.lines.get(meter)
            numbers.append(len(rates))
            plain.append(rate is not None and not has_steps(rate.price))
            rates += [] if rate is None else [rate]
        at = lines["rates"].to_numpy()
        rows = lines[[*PLACE, *_COUNTS]].assign(
            meter=_CODES[meter],
            rate=np.array(numbers, dtype=np.int64)[at],
            is_plain=np.array(plain, dtype=bool)[at] & (lines["quantity"] > 0).to_numpy(bool),
        )
        if any(rows[name].dtype != np.int64 for name in _COUNTS):
            rows = rows.assign(is_plain=False, **dict.fromkeys(_COUNTS, 0))
        frames.append(rows)
    if not frames:
        names = [*_KEY, *_COUNTS, "rate"]
        empty = pd.DataFrame({name: np.zeros(0, dtype=np.int64) for name in names})
        frames.append(empty.assign(is_plain=np.zeros(0, dtype=bool)))
    return _Wanted(pd.concat(frames, ignore_index=True), rates)


def _held(posted: pa.Table, said: Said, has_steps: Callable[[PriceLine], bool]) -> pd.DataFrame:
    """Columns _KEY, ``payer_id``, ``said``, ``stands`` (and not as nothing) and ``is_plain``."""
    names = ("price_id", "unit_price", "list_unit_price", "uplift_id", "discount_id")
    told = posted.select(names).append_column("row", pa.array(np.arange(posted.num_rows)))
    alike = told.group_by(list(names)).aggregate([("row", "list")])
    numbers = np.zeros(posted.num_rows, dtype=np.int64)
    plain = np.zeros(posted.num_rows, dtype=bool)
    for ids in alike.to_pylist():
        at = ids.pop("row_list")
        numbers[at] = said.by_ids(**ids)
        plain[at] = not has_steps(said.line(ids["price_id"]))
    meters = posted["meter"].combine_chunks().dictionary_encode()
    codes = np.array([_CODES.get(each, _NONE) for each in meters.dictionary.to_pylist()])
    code = codes[meters.indices.to_numpy()] if len(codes) else np.zeros(0, dtype=np.int64)
    stands = pc.not_equal(posted["quantity"], 0).to_numpy()
    is_free = pc.equal(posted["amount"], 0).to_numpy()
    return pd.DataFrame(
        {
            **{name: posted[name].cast(pa.int64()).to_numpy() for name in (*PLACE, "payer_id")},
            "meter": code,
            "said": numbers,
            "stands": stands,
            "is_plain": plain & (code != _NONE) & (stands | is_free),
        }
    )


def _payers(wanted: pd.DataFrame, paying: Paying) -> Column:
    payer = wanted["owner_id"].to_numpy().copy()
    slots = wanted["slot"].to_numpy()
    for row in np.flatnonzero(wanted["owner_id"].isin(paying.terms.keys())).tolist():
        payer[row] = paying.payer_of(int(payer[row]), moment_of(int(slots[row])))
    return payer


def _only(rated: Rated, odd: Column) -> Rated:
    left = {}
    before = 0
    for meter, lines in rated.lines.items():
        left[meter] = lines[odd[before : before + len(lines)]]
        before += len(lines)
    return replace(rated, lines=left)


def _reversed(held: pa.Table, said: Said) -> pa.Table:
    """Takes back what was posted, as it was posted."""
    columns = {name: held[name] for name in held.column_names}
    ids = held["price_id"].combine_chunks().dictionary_encode()
    of_ids = [said.line(price_id).currency for price_id in ids.dictionary.to_pylist()]
    columns["currency"] = pa.array(of_ids, pa.string()).take(ids.indices)
    for name in ("quantity", "list_amount", "contracted_amount", "amount", "billed_amount"):
        columns[name] = pc.negate(held[name])
    return _table(columns, held.num_rows, [CORRECTION] * held.num_rows)


def _new(wanted: _Wanted, rows: Column, payer: Column, stood: Column) -> pa.Table:
    lines = wanted.rows.iloc[rows]
    at = pa.array(lines["rate"].to_numpy())
    of_rates = {
        "price_id": [each.price.id for each in wanted.rates],
        "currency": [each.price.currency for each in wanted.rates],
        "unit_price": [each.unit_price for each in wanted.rates],
        "list_unit_price": [each.list_unit_price for each in wanted.rates],
        "uplift_id": [each.uplift and each.uplift.id for each in wanted.rates],
        "discount_id": [each.discount and each.discount.id for each in wanted.rates],
    }
    columns = {
        name: pa.array(values, NEW.field(name).type).take(at) for name, values in of_rates.items()
    }
    amount = _amounts(lines["amount"].to_numpy())
    asked = _amounts(lines["list_amount"].to_numpy())
    is_asked = columns["list_unit_price"].is_valid()
    columns |= {name: pa.array(lines[name].to_numpy()) for name in PLACE if name != "slot"}
    columns |= {
        "slot": pa.array(lines["slot"].to_numpy()).cast(NEW.field("slot").type),
        "meter": pa.array(CHARGED).take(pa.array(lines["meter"].to_numpy())),
        "payer_id": pa.array(payer[rows]),
        "quantity": _units(lines["quantity"].to_numpy()),
        "list_amount": pc.if_else(is_asked, asked, pa.scalar(None, asked.type)),
        "contracted_amount": amount,
        "amount": amount,
        "billed_amount": amount,
    }
    return _table(columns, len(lines), np.where(stood, CORRECTION, ORIGINAL).tolist())


def _table(columns: dict[str, pa.Array], count: int, kinds: list[str]) -> pa.Table:
    columns |= {"kind": pa.array(kinds, pa.string()), "method": pa.repeat(METHOD, count)}
    return pa.table({name: columns[name] for name in NEW.names}, schema=NEW)


def _units(numbers: Column) -> pa.Array:
    return pa.array(numbers, pa.int64()).cast(NEW.field("quantity").type)


def _amounts(atoms: Column) -> pa.Array:
    """Of 1e-12 each: the same digits with the point in another place, so nothing is rounded."""
    digits = pa.array(atoms, pa.int64()).cast(pa.decimal128(38, 0))
    return pa.Array.from_buffers(NEW.field("amount").type, len(digits), digits.buffers())
