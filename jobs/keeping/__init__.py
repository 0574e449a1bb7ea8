"""Makes room: partitions ahead, days into the archive, what is too old away."""
