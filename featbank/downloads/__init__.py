"""Downloads: fetching what publishers offer, whole or not at all."""
