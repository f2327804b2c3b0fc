"""The pages: one shell for all addresses, and the files that make it up, read once and served from memory."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from ops.board.asked import refusal

FOLDER = Path(__file__).with_name("static")
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
SHELL = "index.html"


@dataclass(frozen=True)
class File:
    """One file of the front end."""

    content: bytes
    kind: str
    tag: str

    @classmethod
    def read(cls, path: Path) -> "File":
        """Take it from disk."""
        content = path.read_bytes()
        return cls(content, TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')

    def answer(self, request: web.Request) -> web.Response:
        """Send it, or say that the browser has it already."""
        headers = {"ETag": self.tag, "Cache-Control": "no-cache"}  # asked for each time, sent when it changed
        if self.tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=self.content, content_type=self.kind, charset="utf-8", headers=headers)


class Files:
    """All files of the front end, by their name below the folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        known = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in TYPES)
        self._files = {path.relative_to(folder).as_posix(): File.read(path) for path in known}

    async def shell(self, request: web.Request) -> web.Response:
        """`GET /` and every page's address: what an address shows is for the script to find out."""
        return self._files[SHELL].answer(request)

    async def file(self, request: web.Request) -> web.Response:
        """`GET /static/{name}`: only what was there at the start."""
        found = self._files.get(request.match_info["name"])
        return found.answer(request) if found else refusal(404, "there is no such file")
