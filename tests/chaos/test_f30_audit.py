"""F30: audit records edited, deleted, cut off, swapped, past the table's own guards."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from ops.reports import audit
from tests.chaos.report import Row
from tests.chaos.site import Site

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]
CHAIN = "SELECT order_key FROM lockstep.orders WHERE audit_seq >= 4 ORDER BY order_key LIMIT 1"
RECORDS = "SELECT * FROM lockstep.audit WHERE order_key = $1 ORDER BY seq"


@asynccontextmanager
async def _tampered(site: Site, statement: str, *arguments: Any) -> AsyncIterator[None]:
    """The statement as a superuser would run it, past the triggers; undone at the end."""
    key = arguments[0]
    connection = await asyncpg.connect(site.postgres.dsn)
    try:
        rows = await connection.fetch(RECORDS, key)
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement, *arguments)
        yield
        await connection.execute("DELETE FROM lockstep.audit WHERE order_key = $1", key)
        columns = list(rows[0].keys())
        await connection.copy_records_to_table("audit", schema_name="lockstep", columns=columns, records=[tuple(row) for row in rows])
    finally:
        await connection.close()


EDITED = "UPDATE lockstep.audit SET operator = 'mallory' WHERE order_key = $1 AND seq = 2"
DELETED = "DELETE FROM lockstep.audit WHERE order_key = $1 AND seq = 2"
CUT = "DELETE FROM lockstep.audit WHERE order_key = $1 AND seq = (SELECT max(seq) FROM lockstep.audit WHERE order_key = $1)"
SWAPPED = """UPDATE lockstep.audit a SET hash = b.hash FROM lockstep.audit b
    WHERE a.order_key = $1 AND b.order_key = $1 AND a.seq IN (2, 3) AND b.seq = 5 - a.seq"""
TAMPERINGS: dict[str, tuple[str, Callable[[int], int]]] = {  # and the record that has to be named, of so many
    "edited in the middle": (EDITED, lambda _: 2),
    "deleted in the middle": (DELETED, lambda _: 2),
    "cut off at the tail": (CUT, lambda length: length),
    "swapped with its neighbour": (SWAPPED, lambda _: 2),
}


@pytest.mark.parametrize("how", ["edited in the middle", *(pytest.param(how, marks=pytest.mark.chaos) for how in list(TAMPERINGS)[1:])])
async def test_f30_audit_tampered(site: Site, row: Row, how: str) -> None:
    """The verifier names the first record that is not what it was; refused UPDATEs stay refused."""
    statement, first = TAMPERINGS[how]
    row.injected(f"audit record {how}, past the table's triggers")
    await site.roles()
    given = await site.day(20, seed=3001)
    await given.send()
    await given.holds(row)
    async with site.database() as connection:
        key = await connection.fetchval(CHAIN)
        length = await connection.fetchval("SELECT max(seq) FROM lockstep.audit WHERE order_key = $1", key)
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("UPDATE lockstep.audit SET operator = 'x' WHERE order_key = $1", key)
    async with _tampered(site, statement, key):
        verdict = await audit.verify(site.postgres.dsn, key)
    assert verdict.broken, "the tampering was not found"
    found = verdict.broken[0]
    assert (found.order_key, found.seq) == (key, first(length)), found
    row.saw("tampering found")
    row.holds("the first wrong record is named; an ordinary UPDATE is refused")
    await site.books(row)
    await site.fresh(row)
