"""`lockstep.yaml`, checked with file and line, as frozen settings."""

from typing import TYPE_CHECKING, Any

from ops.config.problems import ConfigError, Problem
from ops.config.settings import Config, Kafka, Listen, Security

if TYPE_CHECKING:
    from ops.config.resolve import load

__all__ = ["Config", "ConfigError", "Kafka", "Listen", "Problem", "Security", "load"]


def __getattr__(name: str) -> Any:
    """`load` knows every connector, whose models take most of a second to make: commands that read no configuration need not."""
    if name == "load":
        from ops.config.resolve import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
