"""What the looks are given: the installation, and its servers once they have answered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.data import Data
from ops.installation import Installation

LOOK_SECONDS = 5.0  # of one look
REACH_SECONDS = 3.0  # until a server has answered at all


@dataclass(frozen=True)
class Site:
    """One installation, looked at from here."""

    place: Installation
    file: Path

    @property
    def data(self) -> Data:
        """Its data folder."""
        return self.place.data

    @property
    def client(self) -> dict[str, Any]:
        """Arguments of Kafka clients."""
        kafka = self.place.need_kafka()
        return {"bootstrap_servers": kafka.servers, "request_timeout_ms": int(LOOK_SECONDS * 1000), **kafka.security.client()}

    @property
    def dsn(self) -> str:
        """Where PostgreSQL is."""
        return self.place.need_dsn()

    @property
    def channels(self) -> tuple[str, ...]:
        """The configured channels; none without a configuration."""
        return self.place.channels if self.place.model else ()
