"""The parts of mapping a store: what is asked, which rows, how far the map is to be believed."""
