"""The stream role: one worker that normalises, keeps orders, channels and parcels, and watches the sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas import topics
from streams.channels import agent as channels
from streams.normalise import agent as normalise
from streams.normalise.normalise import Decoder
from streams.orders import agent as orders
from streams.orders.rules import RuleSet
from streams.parcels import agent as parcels
from streams.policy import Policy
from streams.records import Task
from streams.sources import agent as sources

if TYPE_CHECKING:
    from streams.records import Engine

__all__ = ["StreamSettings", "build", "tasks"]


@dataclass(frozen=True)
class StreamSettings:
    """One worker of the stream role. `instance` is its name in the group, the same after a restart."""

    kafka: str
    channels: tuple[str, ...]  # that the merchant sells through: each has a raw topic
    policy: Policy
    rules: RuleSet
    group: str = "lockstep-stream"
    instance: str | None = None
    data: Path | None = None
    store: str = "memory"  # memory | rocksdb
    partitions: int = 4  # of the topics
    options: Mapping[str, Any] = field(default_factory=dict)  # of the engine, such as credentials


def tasks(settings: StreamSettings, decoders: Mapping[str, Decoder]) -> list[Task]:
    """All tasks of the role, by the walk of a fact. `decoders` by connector name."""
    policy = settings.policy
    about_orders = [*(topics.raw_order(channel) for channel in sorted(set(settings.channels))), topics.RAW_SYSTEM]
    return [
        *(normalise.task(topic, decoders, policy) for topic in [*about_orders, topics.RAW_PARCEL]),
        orders.task(policy, settings.rules, settings.channels, settings.partitions),
        channels.task(policy),
        parcels.task(policy),
        sources.task(policy, settings.partitions),
    ]


def build(settings: StreamSettings, decoders: Mapping[str, Decoder]) -> "Engine":
    """The worker, ready to `run`."""
    from streams.records import Engine  # noqa: PLC0415 (imports Faust: only the role itself needs it)

    engine = Engine(
        settings.group,
        broker=settings.kafka,
        instance=settings.instance,
        store=settings.store,
        data=settings.data,
        partitions={topic.name: topic.partitions or settings.partitions for topic in topics.catalogue(settings.channels)},
        **settings.options,
    )
    for task in tasks(settings, decoders):
        engine.add(task)
    return engine
