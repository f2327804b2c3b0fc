"""Parcels and the tiers that came due."""

from collections.abc import Iterator

from ops.simulation.checks import ms, unlike
from ops.simulation.oracle.parcels import TIERS, Box
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World
from sinks.postgres import tables as t


def states(world: World, truth: Truth) -> Iterator[str]:
    """Where each parcel is, whose it is, and how much was heard of it."""
    found = {}
    for row in world.tables.all(t.PARCELS):
        names = ("status", "order_key", "customer_id", "watching", "observations", "duplicates", "episode", "tier")
        told = {name: row[name] for name in names}
        told |= {name: ms(row[name]) for name in ("status_at", "last_movement_at", "updated_at")}
        found[row["parcel_key"]] = told
    yield from unlike("parcel", {key: _state(box) for key, box in truth.boxes.items()}, found)


def _state(box: Box) -> dict[str, object]:
    episodes = [episode for kind, episode, _, _ in box.rows if kind == "stall"]
    standing = [tier for kind, _, tier in box.standing if kind == "stall"]
    return {
        "status": box.status,
        "order_key": box.order,
        "customer_id": box.customer,
        "watching": box.watching,
        "observations": box.observations,
        "duplicates": box.duplicates,
        "episode": max(episodes, default=0),
        "tier": max(standing, default=0) if box.watching else _last_tier(box),
        "status_at": box.status_at,
        "last_movement_at": box.moved,
        "updated_at": box.updated,
    }


def _last_tier(box: Box) -> int:
    """Of a watch that is over: what had fired since the last movement."""
    since = [tier for kind, _, tier, due in box.rows if kind == "stall" and box.moved is not None and due == box.moved + TIERS[tier - 1]]
    return max(since, default=0)


def stalls(world: World, truth: Truth) -> Iterator[str]:
    """Each tier that came due has its row, once, with its due time; none fired before it; what still stands was alerted."""
    rows = world.tables.all(t.STALLS)
    expected = {(key, *row[:3]): row[3] for key, box in truth.boxes.items() for row in box.rows}
    found = {(row["parcel_key"], row["kind"], row["episode"], row["tier"]): ms(row["due_at"]) for row in rows}
    yield from unlike("stall", expected, found)
    for row in rows:
        if row["fired_at"] < row["due_at"]:
            yield f"stall {row['parcel_key']} {row['kind']} {row['episode']}/{row['tier']} fired before it was due"
    alerted = {(row["parcel_key"], row["kind"], row["episode"], row["tier"]) for row in rows if row["alerted"]}
    for key, box in truth.boxes.items():
        yield from (f"stall {(key, *row)} stands, and nobody was alerted" for row in sorted(box.standing) if (key, *row) not in alerted)
