"""Charts as specifications, in hues of one palette."""
