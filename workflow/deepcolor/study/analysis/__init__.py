"""What the answers to a study say."""
