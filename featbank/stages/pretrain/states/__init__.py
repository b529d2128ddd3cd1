"""States on the way: saved, checked, retained, gone on from."""
