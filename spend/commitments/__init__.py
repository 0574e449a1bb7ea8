"""Credits and minimums of spend: which usage they cover, and what nobody used of them."""
