"""What a call costs: prices, discounts, volume steps, and from where they are known."""
