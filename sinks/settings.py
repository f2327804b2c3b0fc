"""What a sink worker is told at its start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sinks.alerts.config import Bot, Sms


@dataclass(frozen=True)
class SinkSettings:
    """One worker of the sink role. `dsn` holds a password and is not shown.

    `quiet` are the quiet hours of messages to customers, as minutes of the Shanghai day, None for none.
    `health_port` None: no health server; 0: any free port.
    """

    kafka: str
    dsn: str = field(repr=False)
    channels: tuple[str, ...]
    group: str = "lockstep-sink"
    bots: tuple[Bot, ...] = ()
    sms: Sms | None = None
    instance: str | None = None
    quiet: tuple[int, int] | None = None
    language: str = "zh"  # of alert texts: zh or en
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    connections: int = 6  # to Postgres, at most
    data: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # of the engine, such as credentials
