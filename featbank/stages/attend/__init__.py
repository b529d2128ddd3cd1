"""``attend``: attention of named samples."""
