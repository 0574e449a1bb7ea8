"""Credits and minimums of spend: what they cover, and what of them nobody used."""
