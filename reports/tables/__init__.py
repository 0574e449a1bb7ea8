"""Tables of what people compare, as rows."""
