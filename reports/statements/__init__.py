"""A statement as a page, PDF, CSV, XLSX and Parquet."""
