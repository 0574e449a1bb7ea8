"""What is heard is put down: one transaction for all that waits."""
