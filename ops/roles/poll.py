"""The poll role: what platforms do not push is asked for."""

import functools
import os

from prometheus_client import REGISTRY

from connectors.pull.metrics import Metrics
from connectors.pull.poller import Health, PollSettings, serve
from ops.roles import health as answers
from ops.roles.start import Start, begin, traced, until_signal
from ops.usage import UsageError


def poll(start: Start) -> None:
    """Ask, until SIGTERM or SIGINT."""
    settings = start.settings()
    if not settings.config.pulls:
        raise UsageError("there is nothing to ask: no shop, system or courier of the configuration has `pull:`")
    begin("poll", settings)
    health = Health(Metrics(registry=REGISTRY))
    if start.port is not None:
        answers.serve(start.host or "127.0.0.1", start.port, health.waits_for)
    poller = PollSettings(
        kafka=settings.kafka.servers,
        shops=settings.config.shops,
        instance=start.instance or f"process-{os.getpid()}",
        kafka_settings=settings.kafka.security.client(),
        watch=functools.partial(traces.entry, "pull") if (traces := traced("poll", settings)) else None,
    )
    until_signal(serve(poller, health))
