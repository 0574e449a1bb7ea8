"""What we claim about speed, measured on the machine at hand: ``make bench``."""
