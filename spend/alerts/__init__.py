"""Alert rules: what they watch, and when somebody is told. The week in short."""
