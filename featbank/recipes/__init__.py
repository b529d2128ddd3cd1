"""Recipes: their difference in words, and which of them are the same."""
