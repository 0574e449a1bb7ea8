"""Sessions, partitions, replicas and poolers: what Postgres itself is asked for."""
