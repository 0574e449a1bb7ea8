"""What ``doctor`` looks at: each check is a question that somebody forgot to ask once."""
