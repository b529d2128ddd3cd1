"""``embed``: planned, computed, written."""
