"""The start of each role: settings made from the configuration, then the role's own function."""
