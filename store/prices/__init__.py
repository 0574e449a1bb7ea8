"""The price book with both of its times, contracts, discounts, and what has no price."""
