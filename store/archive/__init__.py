"""Days of calls as Parquet files, and dropping what is no longer kept."""
