"""What the database is asked for by monitoring."""
