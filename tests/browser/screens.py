# ruff: noqa: T201 - a program that people run
"""`python -m tests.browser.screens [FOLDER]`: a picture of every page, in both languages and themes, at a desk and on a phone.

Brings a PostgreSQL of its own with a merchant's day and 100,000 orders; says how long the first page takes.
"""

import asyncio
import itertools
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from ops.board.app import BoardSettings
from ops.config import Kafka
from ops.embedded import EmbeddedPostgres
from tests.browser import given
from tests.browser.chrome import DESK, PHONE, Page, browser, serving
from tests.browser.pages import PAGES

ORDERS = 100_000
FOLDER = Path("build/screens")
TIMES = """
const [page] = performance.getEntriesByType('navigation');
const asked = performance.getEntriesByType('resource').filter(one => one.duration);
const last = Math.max(page.responseEnd, ...asked.map(one => one.responseEnd));
return [Math.round(page.domContentLoadedEventEnd), Math.round(last)]"""


async def _fill(server: EmbeddedPostgres) -> str:
    await server.start()
    dsn = await given.make(server.dsn)
    connection = await asyncpg.connect(dsn)
    await given.crowd(connection, ORDERS, datetime.now(UTC))
    await connection.close()
    return dsn


def _shoot(page: Page, folder: Path) -> None:
    sizes = {"desk": DESK, "phone": PHONE}
    for language, theme, size in itertools.product(("zh", "en"), ("light", "dark"), sizes):
        page.fresh(language, theme, sizes[size])
        for name, path in PAGES.items():
            page.open(path)
            page.shoot(folder / f"{name}-{language}-{theme}-{size}.png")
            if told := page.complaints():
                print(name, language, theme, size, *told, sep="\n  ")


def main() -> None:
    """Take all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory(prefix="lockstep-screens-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)
        server = EmbeddedPostgres(Path(place), durable=False)
        try:
            dsn = asyncio.run(_fill(server))
            settings = BoardSettings("127.0.0.1", 0, Kafka("127.0.0.1:9"), dsn, given.CHANNELS, "none")
            with serving(settings) as address, browser() as chrome:
                page = Page(chrome, address)
                for _ in range(3):
                    page.fresh()
                    page.open("/")
                    ready, last = page.run(TIMES)
                    print(f"the overview of {ORDERS:,} orders: {ready} ms to its frame, {last} ms to its last answer")
                _shoot(page, folder)
        finally:
            asyncio.run(server.stop())
            server.remove()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main()
