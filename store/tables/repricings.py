"""Re-pricings: which time is to be priced by what is known when, and how far that has come."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Table,
    Text,
)

from store.tables.base import AMOUNT, METADATA, no_nan, tenant

repricings = Table(
    "repricings",
    METADATA,
    tenant(),
    Column("id", BigInteger, Identity(), primary_key=True, doc="Number of the re-pricing."),
    Column(
        "starts",
        DateTime(timezone=True),
        nullable=False,
        doc="When it begins, UTC, a quarter hour.",
    ),
    Column(
        "ends",
        DateTime(timezone=True),
        nullable=False,
        doc="When it ends, UTC, a quarter hour, exclusive.",
    ),
    Column("known_at", DateTime(timezone=True), nullable=False, doc="By what was known then, UTC."),
    Column("dry_run", Boolean, nullable=False, doc="Whether it only finds out."),
    Column(
        "requested_at", DateTime(timezone=True), nullable=False, doc="When it was asked for, UTC."
    ),
    Column("requested_by", Text, doc="Who asked for it; null: not told."),
    Column("note", Text, doc="Why; null: not told."),
    Column(
        "done_until",
        DateTime(timezone=True),
        nullable=False,
        doc=("How far it has come, UTC; moved in the transaction that posts the corrections."),
    ),
    Column("finished_at", DateTime(timezone=True), doc="When it ended, UTC; null: it is not."),
    Column("cells", BigInteger, nullable=False, server_default="0", doc="Cells looked at so far."),
    Column(
        "changed_cells",
        BigInteger,
        nullable=False,
        server_default="0",
        doc="Those whose cost changed.",
    ),
    Column(
        "lines",
        BigInteger,
        nullable=False,
        server_default="0",
        doc="Lines posted; of a dry run, to be posted.",
    ),
    CheckConstraint("ends > starts", name="time_is_a_range"),
    CheckConstraint("done_until BETWEEN starts AND ends", name="done_is_in_it"),
    CheckConstraint("finished_at IS NULL OR done_until = ends", name="all_is_done"),
    info={
        "doc": (
            "[Re-pricings](../prices.md#corrections): which time is priced by "
            "what is known when, and how far that has come. A dry run books "
            "nothing."
        )
    },
)

repricing_differences = Table(
    "repricing_differences",
    METADATA,
    tenant(),
    Column(
        "repricing_id", BigInteger, primary_key=True, autoincrement=False, doc="`repricings.id`."
    ),
    Column(
        "payer_id", BigInteger, primary_key=True, autoincrement=False, doc="Who pays: `owners.id`."
    ),
    Column(
        "route_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="What was called, and where: `routes.id`.",
    ),
    Column(
        "before",
        AMOUNT,
        nullable=False,
        doc="Effective amounts by the price book before it, of all cells of the time.",
    ),
    Column("after", AMOUNT, nullable=False, doc="The same after it."),
    Column(
        "unpriced_before", BigInteger, nullable=False, doc="Calls whose cost was not known before."
    ),
    Column("unpriced_after", BigInteger, nullable=False, doc="The same after it."),
    Column("lines", BigInteger, nullable=False, doc="Lines posted; of a dry run, to be posted."),
    no_nan("before"),
    no_nan("after"),
    info={"doc": ("What a re-pricing has made different so far, by who pays and route. Adds up.")},
)
