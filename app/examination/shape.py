"""Whether this version can go on with the shape of the database."""

from app.examination.findings import Finding, State
from migrations.shapes import Fit, Shape


def shape_finding(shape: Shape) -> Finding:
    """Whether this version can go on with the database."""
    newer = f"a newer version made it {shape.revision}"
    return {
        Fit.NEWEST: Finding("shape", State.WELL, "the newest"),
        Fit.BEHIND: Finding("shape", State.WRONG, "migrations wait", "spanledger migrate"),
        Fit.AHEAD: Finding(
            "shape", State.LOOK, f"{newer}; this one works with it", "upgrade this machine, too"
        ),
        Fit.BEYOND: Finding(
            "shape", State.WRONG, f"{newer}; this one cannot work", "use that version, or a later"
        ),
    }[shape.fit]
