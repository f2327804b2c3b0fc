"""What facts mean: pure decisions, and the engine tasks that carry data to them."""
