"""Keeps partitions ahead, writes old days to the archive, forgets what nobody keeps any more."""
