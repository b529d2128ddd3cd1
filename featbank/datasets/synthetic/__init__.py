"""What the synthetic datasets share: optics and samples."""
