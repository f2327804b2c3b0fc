"""A collector of traces, as OTLP over HTTP has them; it also takes the messages of a bot."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Seen:
    """One span; ids in hex, `parent` empty for a root."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    links: tuple[str, ...]  # trace ids


class Collector:
    """Listens on a free port while it is open."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        self.messages: list[str] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    collector.take(body)
                    kind, answer = "application/x-protobuf", b""
                else:
                    collector.messages.append(body.decode())
                    kind, answer = "application/json", json.dumps({"errcode": 0, "errmsg": "ok"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Nothing to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, body: bytes) -> None:
        """Read one request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    links = tuple(link.trace_id.hex() for link in span.links)
                    ids = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
                    self.spans.append(Seen(names["service.name"], span.name, *ids, links))

    def of(self, trace: str) -> dict[str, Seen]:
        """The spans of one trace by name."""
        return {span.name: span for span in self.spans if span.trace == trace}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="otlp", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
