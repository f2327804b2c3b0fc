"""`/healthz`, `/readyz` and `/metrics` of a role that has no HTTP server of its own.

In a thread: it answers while the event loop is busy with a batch.
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from schemas.metrics import exposition

Answer = tuple[int, str, bytes]


def serve(host: str, port: int, ready: Callable[[], str]) -> ThreadingHTTPServer:
    """Answer until `shutdown` of what is returned. `ready` says what is waited for; empty when nothing is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = _answer(self.path, ready, self.headers.get("Accept", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Being asked for health is nothing to log."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _answer(path: str, ready: Callable[[], str], accept: str) -> Answer:
    match path.partition("?")[0]:
        case "/healthz":
            return 200, "text/plain", b"alive\n"
        case "/readyz":
            waits = ready()
            return (503, "text/plain; charset=utf-8", f"{waits}\n".encode()) if waits else (200, "text/plain", b"ready\n")
        case "/metrics":
            body, kind = exposition(accept)
            return 200, kind, body
    return 404, "text/plain", b"no such page: /healthz, /readyz, /metrics\n"
