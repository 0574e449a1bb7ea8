"""Keys, owners, channels, preferences, what runs here."""
