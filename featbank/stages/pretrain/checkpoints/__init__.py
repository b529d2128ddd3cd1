"""What becomes of a checkpoint: described, listed, exported."""
