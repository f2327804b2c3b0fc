"""Who may act, and what browsers are told to refuse.

An act needs the token in the Authorization header, which no form and no other site's script can send; a request that
says it comes from elsewhere is refused before its token is looked at. Nothing is kept in cookies.
"""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from ops.board.asked import Refused
from ops.board.keys import SETTINGS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def say_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: every answer says them, errors and event streams too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")


def authorise(request: web.Request) -> None:
    """Let an act pass. Raises Refused: 403 from another site, 401 without the token."""
    if _foreign(request):
        raise Refused(403, "acts are taken from the board's own pages and from programs, not from another site")
    if any("token" in name.lower() for name in request.query):  # it would end in every log on the way
        raise Refused(401, "a token does not belong into the address: send the header Authorization: Bearer …")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(401, "a token is needed: Authorization: Bearer …")
    if not hmac.compare_digest(token.strip().encode(errors="replace"), request.app[SETTINGS].token.encode()):
        raise Refused(401, "this is not the token")


def _foreign(request: web.Request) -> bool:
    """What a browser says of where a request comes from; programs say nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("Origin")
    if origin is None or "Sec-Fetch-Site" in request.headers:  # which a browser alone can write
        return False
    try:
        return urlsplit(origin).netloc.lower() != request.host.lower()
    except ValueError:
        return True
