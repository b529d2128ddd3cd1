"""What a name becomes: a dataset opened, a backbone's weights loaded."""
