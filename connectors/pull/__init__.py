"""Pollers: what platforms do not push, or may lose, is asked for; the same facts have the same ids as if they were pushed."""
