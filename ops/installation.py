"""Which configuration and which servers a command is about."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from ops.config.model import ConfigModel
from ops.config.parse import parse
from ops.config.policy import policy
from ops.config.problems import unknown
from ops.config.resolve import example, load, servers
from ops.config.settings import Config, Kafka, environment
from ops.data import Data
from ops.usage import DEFAULT_CONFIG, UsageError
from streams.policy import Policy

# Consumer groups, and the names of the engine's apps
STREAM_GROUP, SINK_GROUP = "lockstep-stream", "lockstep-sink"


@dataclass(frozen=True)
class Installation:
    """What a command needs to know to look at an installation. No secret of a shop is fetched for it."""

    data: Data
    file: Path | None
    model: ConfigModel | None
    kafka: Kafka | None
    dsn: str | None = field(repr=False)

    def need_kafka(self) -> Kafka:
        """Where Kafka is. Raises UsageError when nothing says so."""
        if self.kafka is None:
            raise UsageError(self._nowhere("Kafka", "LOCKSTEP_KAFKA__SERVERS"))
        return self.kafka

    def need_dsn(self) -> str:
        """Where PostgreSQL is. Raises UsageError when nothing says so."""
        if self.dsn is None:
            raise UsageError(self._nowhere("PostgreSQL", "LOCKSTEP_POSTGRES__DSN"))
        return self.dsn

    def need_model(self) -> ConfigModel:
        """The configuration. Raises UsageError without one."""
        if self.model is None:
            raise UsageError(no_config(DEFAULT_CONFIG))
        return self.model

    @property
    def channels(self) -> tuple[str, ...]:
        """The configured channels."""
        return tuple(sorted({shop.channel or shop.source for shop in self.need_model().shops}))

    @property
    def policy(self) -> Policy:
        """The configured policy."""
        return policy(self.need_model())

    def need_channel(self, channel: str) -> str:
        """Check that a channel is configured. Raises UsageError naming the nearest one."""
        if channel not in self.channels:
            raise UsageError(unknown("channel", channel, self.channels))
        return channel

    def _nowhere(self, server: str, variable: str) -> str:
        return (
            f"no {server} is known: `lockstep up` does not run on {self.data.root}, and neither the configuration nor {variable} "
            "names one. Start `lockstep up`, or choose --data or --config"
        )


def find(file: Path | None, folder: Path) -> Installation:
    """Find an installation: the environment goes before the file, the file before what `up` says of its own servers."""
    data = Data(folder)
    ready, file = data.ready(), config_file(file, data)
    model = parse(file)[0] if file.exists() else None
    kafka, dsn = (Kafka(ready.kafka), ready.postgres) if ready else (None, None)
    if model is not None and (model.kafka or model.postgres):
        named = servers(file)
        kafka, dsn = named[0] or kafka, named[1] or dsn
    given = environment()
    if given.kafka.servers:
        kafka = replace(kafka or Kafka(given.kafka.servers), servers=given.kafka.servers)
    if given.postgres.dsn:
        dsn = given.postgres.dsn.get_secret_value()
    return Installation(data, file if model else None, model, kafka, dsn)


def config_file(file: Path | None, data: Data) -> Path:
    """Choose the configuration: the one that is named, else that of the `up` that runs on the data, else ./lockstep.yaml.

    Raises UsageError when one is named that does not exist.
    """
    if file is not None:
        if not file.exists():
            raise UsageError(no_config(file))
        return file
    remembered = data.config_file() if data.ready_file.exists() else None
    return remembered if remembered and remembered.exists() else DEFAULT_CONFIG


def need_config(file: Path | None, folder: Path) -> Config:
    """Load a configuration whole, with its secrets. Raises UsageError and ConfigError."""
    chosen = config_file(file, Data(folder))
    if not chosen.exists():
        raise UsageError(no_config(chosen))
    return load(chosen)


def no_config(file: Path) -> str:
    """Say how to come to a configuration."""
    return f"there is no {file}: begin with a copy of {example()}, or look at `lockstep demo`, which brings its own"
