"""What the coming days should cost, by what the days before cost."""
