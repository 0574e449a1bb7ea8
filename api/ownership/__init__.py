"""The rules of who pays for whose calls."""
