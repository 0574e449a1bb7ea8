"""Where messages go, and what they say: channels, quiet hours, silences."""
