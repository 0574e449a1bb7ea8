"""Bills beside what calls were charged."""
