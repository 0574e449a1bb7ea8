"""Models and the price book: what has no price, lists compared, discounts, re-pricings, rates."""
