"""W3C trace context at the edge: whose trace a push belongs to. Parsed by OpenTelemetry, never by hand."""

from typing import Final

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR: Final = TraceContextTextMapPropagator()


def continued(traceparent: str | None) -> bytes | None:
    """The sender's `traceparent` in its canonical form, None where it sent none or a malformed one."""
    if not traceparent:
        return None
    sent = trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent})).get_span_context()
    if not sent.is_valid:
        return None
    return f"00-{sent.trace_id:032x}-{sent.span_id:016x}-{sent.trace_flags:02x}".encode()
