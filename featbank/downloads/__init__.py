"""Fetching what publishers offer, whole or not at all; unpacking it, inside its folder or not."""
