"""Keys, people, sign-ins, and secrets that are sealed."""
