"""W3C trace context: at the edge, whose trace a push belongs to (parsed by OpenTelemetry); behind it, which records are traced."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.headers import Headers

Ended = Callable[[], None]
"""To be called when the work is done; work that failed is tried again, and has no span."""
Watch = Callable[[str, Sequence[Any]], Ended | None]
"""(name of the work, records with headers) → what is to be called at its end; None where no record is traced."""


class Traced(NamedTuple):
    """What is no record, and follows from one."""

    headers: tuple[tuple[str, bytes], ...]


SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)

_PROPAGATOR: Final = TraceContextTextMapPropagator()


def continued(traceparent: str | None) -> bytes | None:
    """The sender's `traceparent` in its canonical form, None where it sent none or a malformed one."""
    if not traceparent:
        return None
    sent = trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent})).get_span_context()
    if not sent.is_valid:
        return None
    return f"00-{sent.trace_id:032x}-{sent.span_id:016x}-{sent.trace_flags:02x}".encode()


def sampled(headers: "Headers | tuple[tuple[str, bytes], ...]") -> SpanContext | None:
    """The span that a record follows from, if its trace is to be shown. Records are read often: our own form is cut, not parsed."""
    raw = b""
    for name, value in reversed(headers):  # it stands last, or nearly so
        if name == "traceparent":
            raw = value
            break
    if len(raw) != 55 or raw[54] not in b"13579bdf":
        return None
    try:
        found = SpanContext(int(raw[3:35], 16), int(raw[36:52], 16), is_remote=True, trace_flags=SAMPLED)
    except ValueError:
        return None
    return found if found.is_valid else None
