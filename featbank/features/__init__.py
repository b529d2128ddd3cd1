"""Several stores read as one: features side by side, or one to fit on and another to score."""
