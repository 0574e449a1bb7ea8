"""Keeps the price book filled from the public list, and new models named as the list has them."""

from jobs.context import Done, JobContext
from jobs.prices.listed_names import look_up_new
from jobs.prices.price_feed import SOURCE, feed
from spend.canary import price_lines
from store.prices import books
from store.tenants import TENANT


def run(context: JobContext) -> Done:
    """Brings list and names up to the pinned source. Does nothing where they are."""
    listed = feed()
    lines = (*listed.lines, *price_lines())
    with context.database.read() as session:
        held = books.listed_count(session, {line.source for line in lines})
    notes = [f"{SOURCE}: {len(listed.lines):,} lines"]
    # By hand every line is compared: somebody wonders.
    if held != len(lines) or context.by_hand:
        with context.database.write() as session:
            entered = books.replace_list(session, lines, now=context.now)
        notes.append(f"{entered.opened:,} opened, {entered.closed:,} closed")
        if entered.concerned and entered.concerned.cells:
            notes.append(str(entered.concerned))
        if listed.note:
            notes.append(f"not in lines: {listed.note}")
    named = look_up_new(context.database, TENANT, now=context.now)
    notes.append(f"{named:,} names looked up")
    return Done("; ".join(notes))
