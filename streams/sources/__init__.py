"""How sources are: sick (too many dead letters), silent, or with numbers missing. What they say is not looked at here."""
