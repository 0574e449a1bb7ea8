"""What was heard while Postgres is away: on this machine's disk before the answer, stored later."""
