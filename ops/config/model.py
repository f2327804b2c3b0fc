"""`lockstep.yaml` as pydantic models. Secrets are references here; nothing is fetched yet."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ops.config.values import OFF, Duration, Hours, Secret, duration

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]  # part of topics, keys and metrics
ShopId = Annotated[str, StringConstraints(pattern=r"^[^\s:/?#]{1,128}$")]  # part of order keys and of the push's address
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Model(BaseModel):
    # An input may hold a secret: errors never repeat it.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, hide_input_in_errors=True)


class PullModel(_Model):
    """How a platform is asked for what it does not push; absent: it is not asked."""

    base_url: Url | None = None
    secret: Secret | None = None
    token: Secret | None = None
    refresh: Secret | None = None
    every: Annotated[Duration, Field(ge=1_000)] | None = None
    since: Annotated[Duration, Field(ge=1_000)] | None = None
    feeds: list[str] = []
    options: dict[str, str] = {}


class _Entry(_Model):
    """What every source has: whose format, which shop, how its pushes are signed."""

    source: str
    shop: ShopId
    secret: Secret
    app_key: str | None = None
    token: Secret | None = None
    aes_key: Secret | None = None
    app_id: str | None = None
    pull: PullModel | None = None


class ShopEntry(_Entry):
    """A shop sells through one channel."""

    channel: Name | None = None
    systems: list[Name] = []
    options: dict[str, str] = {}  # the connector's own; its docstring names them


class SystemEntry(_Entry):
    """An ERP or a WMS; `name` is what shops link to."""

    name: Name
    kind: Literal["erp", "wms"]
    shops: dict[str, str] = {}  # the system's own shop numbers → channel:shop, where it uses numbers of its own


class CourierEntry(_Entry):
    """A courier, or an aggregator that speaks for many."""

    courier: Name | None = None
    options: dict[str, str] = {}  # the connector's own; its docstring names them


class JumpsModel(_Model):
    """Overrides of semantics §3."""

    count: Literal["abnormal", "every"] | None = None
    max_per_order: int | None = Field(None, ge=0)
    allowed_steps_back: list[tuple[str, str]] | None = None


class ConflictsModel(_Model):
    """Overrides of semantics §4."""

    max_per_day: int | None = Field(None, ge=0)
    grace: Duration | None = None


class ExpectationModel(_Model):
    """How long the second fact may take."""

    within: Duration


def _expectation(value: object) -> object:
    """Read `off` and a bare duration beside `{within: …}`; no answer keeps the default."""
    if value is None or value is False or value == OFF:
        return OFF
    return value if isinstance(value, dict) else {"within": value}


Expectation = Annotated[ExpectationModel | Literal["off"], BeforeValidator(_expectation)]


def _switch(value: object) -> object:
    """Read `true` and `false` beside `on` and `off`."""
    return {True: "on", False: OFF}[value] if isinstance(value, bool) else value


Switch = Annotated[Literal["on", "off"], BeforeValidator(_switch)]


class ExpectationsModel(_Model):
    """Overrides by kind; `off` drops one."""

    paid_not_received: Expectation | None = None
    shipped_not_synced: Expectation | None = None
    signed_not_synced: Expectation | None = None
    cancel_not_acknowledged: Expectation | None = None
    stock_not_restored: Expectation | None = None
    moved_after_end: Switch = "on"
    amount_mismatch: Switch = "on"


class ResumeModel(_Model):
    """Resuming by itself after a quiet time, half-open (semantics §5)."""

    after: Duration | Literal["off"] | None = None
    per_minute: int | None = Field(None, ge=1)
    open_after: Duration | None = None


class StallModel(_Model):
    """Overrides of semantics §7."""

    tiers: Annotated[list[Duration], Field(min_length=3, max_length=3)] | None = None
    out_for_delivery: Duration | None = None
    quiet_hours: Hours = None
    freeze_orders: int | None = Field(None, ge=0)


class DeadLettersModel(_Model):
    """Overrides of when a source is said to be sick (semantics §2)."""

    ratio: float | None = Field(None, gt=0, le=1)
    least: int | None = Field(None, ge=1)
    window: Annotated[Duration, Field(ge=1_000)] | None = None
    consecutive: int | None = Field(None, ge=1)
    well_after: Duration | None = None


def _silence(value: object) -> object:
    """Read `learned`, `off` or a duration."""
    if value is False:
        return OFF
    return value if value in ("learned", OFF) else duration(value)


SilenceRule = Annotated[int | Literal["learned", "off"], BeforeValidator(_silence)]


class SilenceModel(_Model):
    """When a source that has fallen silent is said: a rule each, and what is needed to learn one."""

    default: SilenceRule | None = None
    sources: dict[str, SilenceRule] = {}
    least: Duration | None = None
    expected: int | None = Field(None, ge=1)
    days: int | None = Field(None, ge=1, le=7)


class PolicyModel(_Model):
    """What a merchant may change; whatever is absent keeps the default of `streams/policy.py`."""

    jumps: JumpsModel = JumpsModel()
    conflicts: ConflictsModel = ConflictsModel()
    expectations: ExpectationsModel = ExpectationsModel()
    resume: ResumeModel = ResumeModel()
    stall: StallModel = StallModel()
    dedup_retention: Duration | None = None
    order_retention: Duration | None = None
    stub_retention: Duration | None = None
    parcel_retention: Duration | None = None
    clock_tolerance: Duration | None = None
    filter_rate: float | None = Field(None, ge=0, le=1)
    reader_stuck: Duration | None = None
    dead_letters: DeadLettersModel = DeadLettersModel()
    silence: SilenceModel = SilenceModel()
    sequence_gap: Duration | None = None


class BotEntry(_Model):
    """A chat robot; `receives` names alert kinds, none means all."""

    name: Name
    kind: Literal["dingtalk", "wecom"]
    base_url: Url
    token: Secret
    secret: Secret | None = None
    receives: list[str] = []


class SmsModel(_Model):
    """The gateway for messages to customers."""

    kind: Literal["http"] = "http"
    base_url: Url
    secret: Secret


class SecurityModel(_Model):
    """How clients prove themselves to Kafka."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    username: str | None = None
    password: Secret | None = None
    ca_file: str | None = None


class KafkaModel(_Model):
    """Servers of our own; absent: embedded."""

    servers: Annotated[str, StringConstraints(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$")]
    security: SecurityModel = SecurityModel()
    replication: int = Field(1, ge=1)


class PostgresModel(_Model):
    """A database of our own; absent: embedded."""

    dsn: Secret


class ListenModel(_Model):
    """Where a role with an HTTP server listens; port 0: a free one, remembered."""

    host: str = "127.0.0.1"
    port: Port = 0


class BoardModel(ListenModel):
    """The board and its API; without a token one is made and kept in the data folder."""

    token: Secret | None = None


class TracingModel(_Model):
    """Where traces go; absent: nowhere, and they cost nothing."""

    otlp: Url
    sample: float = Field(0.01, gt=0, le=1)


class ConfigModel(_Model):
    """The whole file."""

    merchant: str
    shops: Annotated[list[ShopEntry], Field(min_length=1)]
    systems: list[SystemEntry] = []
    couriers: list[CourierEntry] = []
    policy: PolicyModel = PolicyModel()
    rules: str | None = None
    bots: list[BotEntry] = []
    sms: SmsModel | None = None
    kafka: KafkaModel | None = None
    postgres: PostgresModel | None = None
    connect: ListenModel = ListenModel()
    board: BoardModel = BoardModel()
    partitions: int = Field(4, ge=1, le=1000)
    store: Literal["memory", "rocksdb"] = "memory"
    logs: Literal["text", "json"] = "text"
    tracing: TracingModel | None = None
