"""The same thing is said once a minute, not a hundred times a second."""

import logging
import time
from collections.abc import Callable


class Repeats(logging.Filter):
    """Lets a message through once per period; the next one says how many were left out.

    Messages are the same if logger, level and text before formatting are.
    """

    MOST = 1000  # different messages remembered

    def __init__(self, period: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._period, self._clock = period, clock
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is said now."""
        key, now = (record.name, record.levelno, str(record.msg)), self._clock()
        at, left_out = self._said.get(key, (-self._period, 0))
        if now - at < self._period:
            self._said[key] = (at, left_out + 1)
            return False
        if len(self._said) >= self.MOST:
            self._said.clear()
        self._said[key] = (now, 0)
        if left_out:
            record.msg = f"{record.msg} (and {left_out} times more since it was last said)"
        return True


def calm_clients() -> None:
    """While a broker is away aiokafka logs about 100 errors a second per worker."""
    repeats = Repeats()
    for name in list(logging.root.manager.loggerDict):
        if name == "aiokafka" or name.startswith("aiokafka."):
            logging.getLogger(name).addFilter(repeats)


def calm(logger: logging.Logger) -> logging.Logger:
    """A logger whose repeated messages are said once a minute."""
    logger.addFilter(Repeats())
    return logger
