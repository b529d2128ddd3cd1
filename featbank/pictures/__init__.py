"""How a chip of any sensor becomes red, green and blue."""
