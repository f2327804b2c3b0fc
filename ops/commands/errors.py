"""Errors that a person can mend, said in a line each."""

from aiokafka.errors import KafkaError
from asyncpg import InterfaceError, PostgresError, UndefinedTableError

from ops.config.problems import ConfigError
from ops.data import InUse
from ops.embedded.process import EmbeddedError
from ops.topics import TopicError
from ops.usage import UsageError


def said(error: Exception) -> list[str] | None:
    """What to tell; None for an error that is our own fault and deserves its traceback."""
    if isinstance(error, ConfigError):
        return [str(problem) for problem in error.problems]
    why = _why(error)
    return None if why is None else [f"lockstep: {why}"]


def _why(error: Exception) -> str | None:
    match error:
        case UsageError() | InUse() | EmbeddedError() | TopicError():
            return str(error)
        case UndefinedTableError():
            return "PostgreSQL has no tables of Lockstep yet: `lockstep up` or the sink role makes them"
        case KafkaError():
            return f"Kafka does not answer ({error!r}): is it running? `lockstep doctor` looks"
        case PostgresError() | InterfaceError():
            return f"PostgreSQL refuses: {error}"
        case ConnectionError() | TimeoutError():
            return f"a server does not answer ({str(error) or type(error).__name__}): is it running? `lockstep doctor` looks"
        case OSError():
            return str(error)
    return None
