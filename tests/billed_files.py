"""Bills' files for tests: those of vectors/bills, changed, packed, and read."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from spend.money import plain
from spend.reconciliation.bill_assembly import Assembled, Expected, assembled
from spend.reconciliation.bill_formats import AUTO, ReadFile, read_file
from spend.reconciliation.bills import BillLine
from store.bills.bill_bytes import unpacked

FILES = Path(__file__).parent / "vectors" / "bills"
NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
MOST = 1_000_000

CSV = """\
date,provider,model,meter,quantity,amount,currency
2026-10-06,mistral,mistral-large-2512,input,1000,0.002,EUR
2026-10-07,mistral,mistral-large-2512,output,2000,0.012,EUR
"""


def parsed(
    data: bytes | str, name: str = "file", expected: str = AUTO, most: int = MOST
) -> ReadFile:
    """What a file says."""
    raw = data.encode() if isinstance(data, str) else data
    digest = hashlib.sha256(raw).hexdigest()
    return read_file(unpacked(raw, most=most), name=name, sha256=digest, expected=expected)


def bills_of(*files: bytes | str, **expected: Any) -> list[Assembled]:
    """The bills that files say."""
    read = [parsed(data, f"file {number}") for number, data in enumerate(files, 1)]
    return assembled(read, Expected(**expected), now=NOW, by="somebody")


def vector(name: str) -> str:
    """The text of a file of vectors/bills."""
    return (FILES / name).read_text(encoding="utf-8")


def changed(name: str, **fields: Any) -> str:
    """A JSON vector with other fields in its first result, or in its page."""
    page = json.loads(vector(name))
    first = page["data"][0]["results"][0]
    for field, value in fields.items():
        (page if field in page else first)[field] = value
    return json.dumps(page)


def as_parquet(text: str, types: Mapping[str, pa.DataType], product: str | None = None) -> bytes:
    """A CSV text as Parquet: columns of these types, the others text, empty ones null."""
    names = text.partition("\n")[0].split(",")
    table = pyarrow.csv.read_csv(
        BytesIO(text.encode()),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: types.get(name, pa.string()) for name in names},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if product:
        pairs = [list(json.loads(each or "{}").items()) for each in table[product].to_pylist()]
        as_map = pa.array(pairs, pa.map_(pa.string(), pa.string()))
        table = table.set_column(names.index(product), product, as_map)
    sink = BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def as_gzip(text: str) -> bytes:
    return gzip.compress(text.encode())


def told(line: BillLine) -> tuple[str, ...]:
    """A line in short: kind, model, meter, quantity, unit, price of a million, amount."""
    price = "" if line.unit_price is None else plain(line.unit_price)
    quantity = "" if line.quantity is None else f"{line.quantity.normalize():f}"
    words = (line.model or "", line.meter or "", quantity, line.unit or "", price)
    return (line.kind, *words, plain(line.amount))
