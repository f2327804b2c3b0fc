"""The board: a page for people and the HTTP API of contract.md."""
