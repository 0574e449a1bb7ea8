"""What was spent: read from the books, by any breakdown."""
