"""What the bench measures is what it says."""

from deliveries import item_by_item

from bench.dialects import BATCH, MEASURE, batch_of, dialects


def test_every_captured_dialect_is_measured_on_batches_of_one_size() -> None:
    batches = {name: batch_of(name) for name in dialects()}
    assert MEASURE in batches
    for batch in batches.values():
        assert batch is None or len(item_by_item([batch])) == BATCH
