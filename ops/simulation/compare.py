"""The final tables beside those of an undisturbed run of the same delivery.

Where several raw topics meet, crashes may change which fact of an order is read first; such orders are left to the oracle.
"""

from collections.abc import Iterator
from typing import Any, Final

from ops.simulation import evidence
from ops.simulation.checks import unlike
from ops.simulation.run import World
from sinks.postgres import tables as t
from sinks.postgres.tables import Table

LEFT_OUT: Final = frozenset({"version", "fired_at", "alerted", "created_at", "due_at", "text"})  # tell how, and when somebody looked
GATED: Final = frozenset({"pool", "gate", "released", "seq", "record_id", "action", "at"})  # depend on when a gate was seen
OF_ORDERS: Final = (t.ORDERS, t.ORDER_SOURCES, t.AUDIT, t.JUMPS, t.CONFLICTS, t.POOL, t.POOL_HISTORY)
OF_PARCELS: Final = (t.PARCELS, t.PARCEL_EVENTS, t.STALLS)


def differences(disturbed: World, undisturbed: World) -> Iterator[str]:
    """What is not the same, of that which must be."""
    one, other = evidence.readings(disturbed.log), evidence.readings(undisturbed.log)
    parcels = {key for key in one.parcels if one.parcels[key] == other.parcels.get(key)}
    orders = {key for key in one.orders if one.orders[key] == other.orders.get(key)}
    parcels -= {row["parcel_key"] for world in (disturbed, undisturbed) for row in world.tables.all(t.PARCEL_EVENTS) if _apart(row, orders)}
    paused = {channel for world in (disturbed, undisturbed) for (channel,) in world.tables.rows["channel_state"]}
    disturbed.happened["compared orders"] += len(orders)
    for table in OF_ORDERS:
        gated = table in {t.POOL, t.POOL_HISTORY}
        keys = {key for key in orders if not gated or key.split(":", 1)[0] not in paused}
        yield from unlike(table.name, _rows(undisturbed, table, "order_key", keys), _rows(disturbed, table, "order_key", keys))
    for table in OF_PARCELS:
        yield from unlike(table.name, _rows(undisturbed, table, "parcel_key", parcels), _rows(disturbed, table, "parcel_key", parcels))
    yield from unlike("dead_letters", undisturbed.tables.rows["dead_letters"], disturbed.tables.rows["dead_letters"])
    yield from unlike("raw_counts", undisturbed.tables.counted, disturbed.tables.counted)


def _rows(world: World, table: Table, owner: str, keys: set[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    hidden = LEFT_OUT | (GATED if table is t.ORDERS else frozenset())
    found = {}
    for row in world.tables.all(table):
        if row[owner] in keys:
            found[tuple(row[name] for name in table.key)] = {name: value for name, value in row.items() if name not in hidden}
    return found


def _apart(link: dict[str, Any], orders: set[str]) -> bool:
    """Whether the link is from an order whose facts were read in another order: it may be another one's."""
    return link["kind"] == "link" and link["order_key"] not in orders
