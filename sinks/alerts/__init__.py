"""Alerts: an outbox table, and senders that empty it within each platform's limits.

Each platform is one module of one anatomy: what its configuration is (config.py), `encode` a message, `judge` the answer, its limits.
"""
