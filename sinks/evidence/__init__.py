"""Tamper evidence: hash chains, a Merkle root over all of them each day, and copies of it outside the database."""
