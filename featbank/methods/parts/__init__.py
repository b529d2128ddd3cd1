"""What several methods are made of: draws, masks, moving average, sums over processes."""
