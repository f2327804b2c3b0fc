"""A merchant's day as the platforms would push it: planned with known faults, encoded, signed, sent, and checked."""
