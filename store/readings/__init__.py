"""What token metrics and meters of energy told."""
