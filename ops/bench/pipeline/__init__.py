"""`lockstep bench pipeline`: raw events already in Kafka → rows committed in Postgres, and where the time goes."""
