"""How each kind of image file is read; ``datasets.decode`` is the door."""
