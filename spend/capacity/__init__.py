"""What own capacity costs by the hour, who pays for it, and what an API would have cost."""
