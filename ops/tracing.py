"""Spans, sent by OTLP where that is configured: a root for each traced fact where it comes in, a child for each stage it passes.

A stage works on batches: the batch has a span of its own, with links to the facts in it that are traced, and each of them has the
same span in its own trace, with a link to the batch. Without `tracing:` none of this is loaded, and nothing is asked of a record.
"""

import functools
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, set_span_in_context
from opentelemetry.util.types import AttributeValue

from schemas.headers import SAMPLING, header, trace_of
from schemas.metrics import Role
from schemas.tracing import Ended, sampled
from streams.records.logs import calm

LINKS: Final = 64  # traced facts of a batch that have spans; the others of that batch are passed over
EXPORT_SECONDS: Final = 3.0  # of one request, with its repeats
CLOSE_SECONDS: Final = 1.5  # a collector that is away must not hold up the end of a role
NOWHERE: Final = Context()  # no parent, whatever the task that runs has


class _Ids(RandomIdGenerator):
    """Random ids, but for a root: a fact's trace begins with the ids that its headers hold already."""

    given: SpanContext | None = None

    def generate_trace_id(self) -> int:
        """The given one, or another."""
        return self.given.trace_id if self.given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """The given one, or another."""
        return self.given.span_id if self.given else super().generate_span_id()


class Traces:
    """What a role shows of the traced facts that it works on. Whether a fact is traced stands in its headers."""

    def __init__(self, role: Role, exporter: SpanExporter, instance: str = "") -> None:
        self._ids, self._exporter = _Ids(), exporter
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,  # decided where a fact comes in
            resource=Resource.create(
                {"service.name": f"lockstep-{role}", "service.namespace": "lockstep", "service.instance.id": instance}
            ),
            id_generator=self._ids,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("lockstep")

    def entry(self, name: str, records: Sequence[Any]) -> Ended | None:
        """Facts come in, as `connectors.intake.Publication`s: for `Watch`."""
        found = _traced(records)
        return functools.partial(self._enter, name, found, time.time_ns()) if found else None

    def work(self, name: str, records: Sequence[Any]) -> Ended | None:
        """A stage works on a batch of records: for `Watch`."""
        found = [context for context, _ in _traced(records)]
        return functools.partial(self.done, name, found, time.time_ns(), len(records)) if found else None

    def close(self) -> None:
        """Send what is left, unless that takes too long."""
        giving_up = threading.Timer(CLOSE_SECONDS, self._exporter.shutdown)
        giving_up.daemon = True
        giving_up.start()
        self._provider.shutdown()
        giving_up.cancel()

    def _enter(self, name: str, found: Sequence[tuple[SpanContext, Any]], began: int) -> None:
        for context, record in found:
            kept = {key: (header(record.headers, f"ce_{key}") or b"").decode(errors="replace") for key in ("source", "id", "subject")}
            attributes: dict[str, AttributeValue] = {f"cloudevents.event_{key}": value for key, value in kept.items()}
            own = header(record.headers, "traceparent") == trace_of(kept["source"], kept["id"], fact=True)
            self._ids.given = context if own else None
            parent = NOWHERE if own else _child_of(context)
            span = self._tracer.start_span(name, parent, SpanKind.SERVER, attributes, start_time=began)
            self._ids.given = None
            span.end()

    def done(self, name: str, found: Sequence[SpanContext], began: int, records: int) -> None:
        """A stage has worked on these traced facts since `began` (ns), in a batch of so many records."""
        attributes: dict[str, AttributeValue] = {"messaging.system": "kafka", "messaging.batch.message_count": records}
        links = [Link(context) for context in found]
        batch = self._tracer.start_span(f"{name} batch", NOWHERE, SpanKind.CONSUMER, attributes, links, began)
        for context in found:
            links = [Link(batch.get_span_context())]
            self._tracer.start_span(name, _child_of(context), SpanKind.CONSUMER, attributes, links, began).end()
        batch.end()


def _traced(records: Sequence[Any]) -> list[tuple[SpanContext, Any]]:
    """The first traced facts of a batch, each once, with a record of theirs."""
    found: dict[tuple[int, int], tuple[SpanContext, Any]] = {}
    for record in records:
        if context := sampled(record.headers):
            found.setdefault((context.trace_id, context.span_id), (context, record))
            if len(found) == LINKS:
                break
    return list(found.values())


def _child_of(context: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(context), NOWHERE)


def start(role: Role, otlp: str, share: float, instance: str = "") -> Traces:
    """Send this role's spans to `otlp` (`http://host:4318`), for this share of the facts whose sender said nothing of a trace."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    SAMPLING.share(share)
    for module in (OTLPSpanExporter.__module__, "opentelemetry.sdk._shared_internal"):
        calm(logging.getLogger(module))  # while the collector is away every request is said
    return Traces(role, OTLPSpanExporter(endpoint=f"{otlp}/v1/traces", timeout=EXPORT_SECONDS), instance)
