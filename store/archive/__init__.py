"""Days of calls as Parquet files, and what is dropped."""
