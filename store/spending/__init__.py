"""What was spent, by any breakdown: read from the books, and from sums of their days."""
