"""The sink's health server."""

import aiohttp
import pytest

from sinks.health import serve_health


@pytest.mark.parametrize(("reason", "status", "text"), [("", 200, "ready"), ("Postgres does not answer", 503, "Postgres does not answer")])
async def test_readiness_says_what_is_missing(reason: str, status: int, text: str) -> None:
    """Not ready is 503 with the reason; alive is 200 all the same."""

    async def missing() -> str:
        return reason

    runner = await serve_health(missing, 0)
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as web:
        async with web.get("/readyz") as answer:
            assert (answer.status, (await answer.text()).strip()) == (status, text)
        async with web.get("/healthz") as answer:
            assert answer.status == 200
    await runner.cleanup()
