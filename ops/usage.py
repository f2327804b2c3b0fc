"""What every command may raise, and where it looks by default. Imports nothing: `lockstep --help` stays fast."""

from pathlib import Path

DEFAULT_CONFIG = Path("lockstep.yaml")
DEFAULT_DATA = Path("lockstep-data")


class UsageError(Exception):
    """The command cannot be done as it was given; says what to do instead. Exit status 2."""
