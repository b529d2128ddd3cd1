"""Parts of the stage that fine-tunes a backbone with labels."""
