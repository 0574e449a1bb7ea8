"""What monitoring asks the database, and how Prometheus is told."""
