"""Views: what the methods make of a batch of chips, on the device."""
