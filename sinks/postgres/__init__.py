"""Postgres, schema `lockstep`: migrations, tables, and writers of record batches."""
