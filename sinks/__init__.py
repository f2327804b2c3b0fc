"""Where answers go: Postgres for people, messages for teams and customers."""
