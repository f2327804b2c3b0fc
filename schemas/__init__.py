"""What facts look like: canonical statuses, records and their Avro files, topics, mapping tables."""
