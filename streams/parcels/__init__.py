"""Where a parcel is, whether it moves, what it says of its order, and whom to tell when it stands still."""
