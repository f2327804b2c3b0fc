"""What a connector is told about one shop, system or courier. The command line makes these from lockstep.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas import topics

CHANNEL, SYSTEM, COURIER = "channel", "system", "courier"


@dataclass(frozen=True)
class Pull:
    """How a platform is asked for what it does not push, or may have lost. Times in ms; None: what the puller says.

    `secret` signs calls where that is not what signs pushes; `token` and `refresh` are those that the operator was given,
    newer ones are kept by the poller. `options` are the puller's own; its docstring names them.
    """

    base_url: str | None = None
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    every: int | None = None
    since: int | None = None  # how far back the first question goes
    feeds: tuple[str, ...] = ()  # none: all
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shop:
    """One entry of `shops`, `systems` or `couriers`: an address that facts are pushed to, and the secret that signs them.

    `options` are the connector's own; its docstring names them.
    """

    kind: str  # channel | system | courier
    connector: str  # generic, douyin, …: the format, and the {source} of the address
    name: str  # what speaks: douyin, web; erp; zto
    shop: str  # the {shop} of the address; of a channel also the shop id of its orders
    secret: str = field(repr=False)
    systems: tuple[str, ...] = ()
    app_key: str | None = None
    token: str | None = field(default=None, repr=False)
    aes_key: str | None = field(default=None, repr=False)
    app_id: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    pull: Pull | None = None  # None: it is not asked

    @property
    def call_secret(self) -> str:
        """What signs calls to its platform."""
        return (self.pull and self.pull.secret) or self.secret

    @property
    def topic(self) -> str:
        """The raw topic that its envelopes go to."""
        if self.kind == CHANNEL:
            return topics.raw_order(self.name)
        return topics.RAW_SYSTEM if self.kind == SYSTEM else topics.RAW_PARCEL
