"""What ``diff`` is made of: recipes in words, features by distance."""
