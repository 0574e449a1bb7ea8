"""Keys, people, sign-ins, and what is sealed."""
