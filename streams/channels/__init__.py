"""Whether a channel may sell on: its conflicts are counted by the day, and a breach shuts its gate."""
