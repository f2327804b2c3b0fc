"""Faults on purpose: what the chaos tests inject, and the page of their results. Nothing that runs imports it."""
