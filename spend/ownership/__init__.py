"""Who pays, by rules that people write."""
