"""The bank: the folder of stores, predictions and results, and what it remembers about them."""
