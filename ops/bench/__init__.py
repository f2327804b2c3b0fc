"""How fast it is, measured against its peers and from end to end."""
