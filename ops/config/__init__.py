"""`lockstep.yaml`, checked with file and line, as frozen settings."""

from ops.config.problems import ConfigError, Problem
from ops.config.resolve import load
from ops.config.settings import Config, Kafka, Listen, Security

__all__ = ["Config", "ConfigError", "Kafka", "Listen", "Problem", "Security", "load"]
