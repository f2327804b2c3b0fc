"""The configuration as the roles use it: checked, secrets fetched, frozen."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from connectors.config import Shop
from ops.config.problems import ConfigError
from sinks.alerts.config import Bot, Sms
from streams.policy import Policy


@dataclass(frozen=True)
class Security:
    """How clients prove themselves to Kafka."""

    protocol: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def client(self) -> dict[str, Any]:
        """Give aiokafka's arguments."""
        if self.protocol == "PLAINTEXT":
            return {}
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if "SSL" in self.protocol:
            from aiokafka.helpers import create_ssl_context

            options["ssl_context"] = create_ssl_context(cafile=self.ca_file)
        if "SASL" in self.protocol:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options

    def engine(self) -> dict[str, Any]:
        """Give the engine's settings: Faust's credentials of the same meaning."""
        if self.protocol == "PLAINTEXT":
            return {}
        import faust

        context = self.client().get("ssl_context")
        if "SASL" not in self.protocol:
            return {"broker_credentials": faust.SSLCredentials(context)}
        mechanism, name, password = self.mechanism, self.username, self.password
        credentials = faust.SASLCredentials(username=name, password=password, ssl_context=context, mechanism=mechanism)
        return {"broker_credentials": credentials}


@dataclass(frozen=True)
class Kafka:
    """Servers (`host:port,…`) and how to talk to them."""

    servers: str
    security: Security = Security()
    replication: int = 1


@dataclass(frozen=True)
class Listen:
    """Where a role listens; port 0: a free one."""

    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True)
class Tracing:
    """Where traces are sent (OTLP over HTTP, `http://host:4318`), and the share of facts that have one."""

    otlp: str
    sample: float


@dataclass(frozen=True)
class Config:
    """Everything that the roles need to know. Kafka, Postgres and the token are None where `up` provides them."""

    merchant: str
    shops: tuple[Shop, ...]
    policy: Policy
    rules: Path | None = None
    bots: tuple[Bot, ...] = ()
    sms: Sms | None = None
    kafka: Kafka | None = None
    postgres: str | None = field(default=None, repr=False)
    connect: Listen = Listen()
    board: Listen = Listen()
    token: str | None = field(default=None, repr=False)
    partitions: int = 4
    store: str = "memory"  # of the engine's state; rocksdb where it is larger than memory
    logs: Literal["text", "json"] = "text"
    tracing: Tracing | None = None  # None: off
    file: Path | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that the merchant sells through, in order of their names."""
        return tuple(sorted({shop.name for shop in self.shops if shop.kind == "channel"}))

    @property
    def pulls(self) -> bool:
        """Whether any shop, system or courier is to be asked: then the poll role is needed."""
        return any(shop.pull for shop in self.shops)


class _SecurityEnvironment(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    protocol: str | None = None
    mechanism: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: str | None = None

    def over(self, security: Security) -> Security:
        """Lay what is given over what the file says."""
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        if self.password is not None:
            given["password"] = self.password.get_secret_value()
        return replace(security, **given)


class _KafkaEnvironment(BaseModel):
    servers: str | None = None
    security: _SecurityEnvironment = _SecurityEnvironment()


class _PostgresEnvironment(BaseModel):
    dsn: SecretStr | None = None


class _SmsEnvironment(BaseModel):
    secret: SecretStr | None = None


class _BoardEnvironment(BaseModel):
    token: SecretStr | None = None


class Environment(BaseSettings):
    """`LOCKSTEP_…`: servers and secrets that go before the file's, nested by `__`."""

    model_config = SettingsConfigDict(
        env_prefix="LOCKSTEP_", env_nested_delimiter="__", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    kafka: _KafkaEnvironment = _KafkaEnvironment()
    postgres: _PostgresEnvironment = _PostgresEnvironment()
    sms: _SmsEnvironment = _SmsEnvironment()
    board: _BoardEnvironment = _BoardEnvironment()
    log: Literal["text", "json"] | None = None


def environment() -> Environment:
    """Read `LOCKSTEP_…`. Raises ConfigError for what cannot be read, without repeating it."""
    try:
        return Environment()
    except ValidationError as error:
        where = "LOCKSTEP_" + "__".join(map(str, error.errors(include_input=False)[0]["loc"])).upper()
        raise ConfigError.of("environment", f"{where} cannot be read: {error.errors(include_input=False)[0]['msg']}") from None
    except SettingsError as error:
        raise ConfigError.of("environment", str(error)) from None
