"""The stream role: the engine with all tasks, and its health."""

from typing import TYPE_CHECKING

from faust.exceptions import ConsumerNotStarted

from connectors.registry import decoders
from ops.roles.health import serve
from ops.roles.start import Settings
from streams.app import StreamSettings, build
from streams.orders.rules import RuleSet

if TYPE_CHECKING:
    from streams.records import Engine


def engine(settings: Settings, group: str) -> "Engine":
    """The worker, ready to run; its health is served already."""
    config, start = settings.config, settings.start
    app = build(
        StreamSettings(
            kafka=settings.kafka.servers,
            channels=config.channels,
            policy=config.policy,
            rules=RuleSet.load(config.rules) if config.rules else RuleSet(),
            group=group,
            instance=start.instance,
            data=settings.state("stream"),
            store=config.store,
            partitions=config.partitions,
            options=settings.kafka.security.engine(),
        ),
        decoders(),
    )
    if start.port is not None:
        serve(start.host or "127.0.0.1", start.port, lambda: waits_for(app))
    return app


def waits_for(app: "Engine") -> str:
    """What the worker is not ready for; empty when every partition that it owns is open.

    Asked from another thread: nothing here changes the worker.
    """
    if not app.counts:
        return "Kafka and its topics are not reached yet"
    consumer = getattr(app, "_consumer", None)  # Faust makes it when it starts,
    try:
        assigned = bool(consumer and consumer.assignment())
    except ConsumerNotStarted:  # and starts it a moment later
        assigned = False
    if not assigned:
        return "no partition is assigned yet"
    closed = [str(lane) for lane in list(app.lanes.values()) if not lane.ready]
    return f"not open yet: {', '.join(closed[:5])}" if closed else ""
