"""What a call costs: prices, discounts, volume steps, and where they are known from."""
