"""A statement as PDF: ``statement.typ``, filled by typst.

All that the page says goes to it as JSON, written out and without markup: a name that looks like
code of typst is a name. Fonts are those of the wheel, and of the machine for letters that they
lack. The PDF is tagged, and the same statement gives the same bytes on the same machine.
"""

import functools
import json
from pathlib import Path
from typing import Final

import typst

from reports.statements.statement_page import page_of
from spend.statements.statements import Statement

_PAGE: Final = Path(__file__).with_name("statement.typ")


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts()


@functools.cache
def _template() -> bytes:
    return _PAGE.read_bytes()


def statement_pdf(statement: Statement) -> bytes:
    """The file, A4."""
    # Without a root of its own, nothing beside the template can be read.
    compiler = typst.Compiler(font_paths=_fonts())
    made = compiler.compile(
        input=_template(),
        sys_inputs={"statement": json.dumps(page_of(statement), ensure_ascii=False)},
        format="pdf",
        timestamp=int(statement.month.end.timestamp()),
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gives a PDF as bytes")
    return made
