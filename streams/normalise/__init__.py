"""What a raw event says, in canonical words: an observation or a dead letter, never two, never none."""
