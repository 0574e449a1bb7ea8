"""Rules of who pays."""
