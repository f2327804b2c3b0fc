"""What somebody may do who has the database wholly in hand. Each way changes tables in place and says what must be named."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ops.reports.roots import Broken
from sinks.evidence.chain import COLUMNS, ZERO, digest
from sinks.evidence.close import as_root
from sinks.evidence.merkle import root as merkle_root
from sinks.evidence.roots import head_leaf, root_of
from tests.integration.evidence.histories import DAYS, Row, Tables


@dataclass(frozen=True)
class Named:
    """A finding must name this order and a record from `first` to `last`, or this day."""

    order_key: str | None = None
    first: int = 1
    last: int = 1 << 30
    days: tuple[date, ...] = ()

    def by(self, found: list[Broken]) -> bool:
        """Whether one of these does."""
        days = {day.isoformat() for day in self.days}
        return any(
            each.day in days if each.order_key is None else each.order_key == self.order_key and self.first <= (each.seq or 0) <= self.last
            for each in found
        )


Way = Callable[[Tables, random.Random], Named]


def another(value: Any, rng: random.Random) -> Any:
    """A value of the same kind that is not this one."""
    if isinstance(value, datetime):
        return value + timedelta(milliseconds=rng.choice([-1, 1]) * rng.randint(1, 10**9))
    if isinstance(value, date):
        return value + timedelta(days=rng.choice([-400, 400]))
    if isinstance(value, int):
        return value + rng.choice([-1, 1, 5])
    if isinstance(value, str) and len(value) == 64:
        return f"{int(value, 16) ^ 1 << rng.randrange(256):064x}"
    return rng.choice(["", "x", f"{value}x", "Shipped!", "用户"])


def _place(tables: Tables, rng: random.Random, *, rooted: bool = True) -> tuple[list[Row], int, int]:
    """(a chain, the seq of a record in it, the last one before it that a root vouches for)."""
    while True:
        chain = tables.chain(rng.choice(tables.audit)["order_key"])
        anchors = tables.anchors(chain[0]["order_key"])
        low, high = (1, anchors[-1]) if rooted else (anchors[-1] + 1, len(chain))
        if low <= high:
            seq = rng.randint(low, high)
            return chain, seq, max(anchor for anchor in anchors if anchor < seq)


def _rehash(tables: Tables, chain: list[Row], seq: int = 1) -> None:
    """Make a chain whole in itself from this record on, with the order's row to fit."""
    for number, row in enumerate(chain, 1):
        row["seq"] = number
        if number >= seq:
            row["prev_hash"] = chain[number - 2]["hash"] if number > 1 else ZERO
            row["hash"] = digest(row)
    tables.order(chain[0]["order_key"]).update(audit_seq=len(chain), audit_head=chain[-1]["hash"])


def _drop(tables: Tables, rows: list[Row]) -> None:
    tables.audit = [row for row in tables.audit if not any(row is each for each in rows)]


def column(name: str) -> Way:
    """One hashed column of one record, or its hash."""

    def change(tables: Tables, rng: random.Random) -> Named:
        row = rng.choice(tables.audit)
        row[name] = another(row[name], rng)
        return Named(row["order_key"], row["seq"], row["seq"])

    change.__name__ = f"change_{name}"
    return change


def another_order(tables: Tables, rng: random.Random) -> Named:
    """A record is made another order's."""
    row = rng.choice(tables.audit)
    key, row["order_key"] = row["order_key"], "web:s1:another"
    return Named(key, row["seq"], row["seq"])


def another_place(tables: Tables, rng: random.Random) -> Named:
    """A record gets a number behind all others of its order."""
    row = rng.choice(tables.audit)
    seq, row["seq"] = row["seq"], len(tables.chain(row["order_key"])) + rng.randint(1, 3)
    return Named(row["order_key"], seq, seq)


def swap_records(tables: Tables, rng: random.Random) -> Named:
    """Two records of an order change places."""
    chain, _, _ = _place(tables, rng)
    if len(chain) < 2:
        return another_place(tables, rng)
    one, two = sorted(rng.sample(chain, 2), key=lambda row: row["seq"])
    seq = one["seq"]
    one["seq"], two["seq"] = two["seq"], one["seq"]
    return Named(one["order_key"], seq, seq)


def swap_orders(tables: Tables, rng: random.Random) -> Named:
    """Two orders change their chains, with all their hashes."""
    one, two = rng.sample(sorted({row["order_key"] for row in tables.audit}), 2)
    for row in tables.audit:
        row["order_key"] = {one: two, two: one}.get(row["order_key"], row["order_key"])
    return Named(one, 1, 1)


def delete_record(tables: Tables, rng: random.Random) -> Named:
    """One record is deleted, anywhere."""
    row = rng.choice(tables.audit)
    _drop(tables, [row])
    return Named(row["order_key"], row["seq"], row["seq"])


def cut_tail(tables: Tables, rng: random.Random) -> Named:
    """The last records are deleted, and the order's row is set back where a root knows better."""
    chain, seq, _ = _place(tables, rng, rooted=rng.random() < 0.7)
    key = chain[0]["order_key"]
    _drop(tables, chain[seq - 1 :])
    if seq <= tables.anchors(key)[-1]:
        tables.order(key).update(audit_seq=seq - 1, audit_head=chain[seq - 2]["hash"] if seq > 1 else ZERO)
    return Named(key, seq, seq)


def delete_order(tables: Tables, rng: random.Random) -> Named:
    """A whole order is deleted: its records, its row, perhaps its heads."""
    chain, _, _ = _place(tables, rng)
    key = chain[0]["order_key"]
    _drop(tables, chain)
    tables.orders = [row for row in tables.orders if row["order_key"] != key]
    if rng.random() < 0.5:
        return Named(key, 1, 1)
    days = tuple(row["day"] for row in tables.heads if row["order_key"] == key)
    tables.heads = [row for row in tables.heads if row["order_key"] != key]
    return Named(days=days)


def rewrite(tables: Tables, rng: random.Random) -> Named:
    """A record is changed and the chain hashed anew to its end."""
    chain, seq, vouched = _place(tables, rng)
    name = rng.choice([name for name in COLUMNS if name not in {"order_key", "seq", "prev_hash"}])
    chain[seq - 1][name] = another(chain[seq - 1][name], rng)
    _rehash(tables, chain, seq)
    return Named(chain[0]["order_key"], vouched + 1, seq)


def rehash_one(tables: Tables, rng: random.Random) -> Named:
    """A record is changed and it alone hashed anew."""
    chain, seq, vouched = _place(tables, rng)
    row = chain[seq - 1]
    row["to_status"] = another(row["to_status"], rng)
    row["hash"] = digest(row)
    return Named(row["order_key"], vouched + 1, seq + 1)


def delete_and_rehash(tables: Tables, rng: random.Random) -> Named:
    """A record is deleted, and what follows is numbered and hashed anew."""
    while True:
        chain, seq, vouched = _place(tables, rng)
        if len(chain) > 1:
            break
    _drop(tables, [chain.pop(seq - 1)])
    _rehash(tables, chain, seq)
    return Named(chain[0]["order_key"], vouched + 1, len(chain) + 1)


def insert_and_rehash(tables: Tables, rng: random.Random) -> Named:
    """A record is put in, and what follows is numbered and hashed anew."""
    chain, seq, vouched = _place(tables, rng)
    forged = {**chain[seq - 1], "raw_event_id": "forged", "to_status": "Refunded"}
    tables.audit.append(forged)
    chain.insert(seq - 1, forged)
    _rehash(tables, chain, seq)
    return Named(chain[0]["order_key"], vouched + 1, seq)


def fork(tables: Tables, rng: random.Random) -> Named:
    """From some record on the order has another history, longer or shorter."""
    chain, seq, vouched = _place(tables, rng)
    kept, length = chain[: seq - 1], rng.randint(1, 4)
    _drop(tables, chain[seq - 1 :])
    forged = [{**chain[seq - 1], "raw_event_id": f"fork{n}"} for n in range(length)]
    tables.audit += forged
    _rehash(tables, kept + forged, seq)
    return Named(chain[0]["order_key"], vouched + 1, seq + length)


def append(tables: Tables, rng: random.Random) -> Named:
    """A record is added behind the last one."""
    chain, _, _ = _place(tables, rng)
    forged = {**chain[-1], "seq": len(chain) + 1, "prev_hash": chain[-1]["hash"], "raw_event_id": "forged"}
    tables.audit.append(forged | {"hash": digest(forged)})
    return Named(forged["order_key"], forged["seq"], forged["seq"])


def add_order(tables: Tables, rng: random.Random) -> Named:
    """An order is made up."""
    forged = {**rng.choice(tables.audit), "order_key": "web:s1:forged", "seq": 1, "prev_hash": ZERO}
    tables.audit.append(forged | {"hash": digest(forged)})
    return Named("web:s1:forged", 1, 1)


def orders_row(tables: Tables, rng: random.Random) -> Named:
    """What an order's row says of its chain."""
    row = rng.choice([row for row in tables.orders if row["audit_seq"]])
    name = rng.choice(["audit_seq", "audit_head"])
    row[name] = another(row[name], rng)
    return Named(row["order_key"])


def delete_orders_row(tables: Tables, rng: random.Random) -> Named:
    """An order's row is deleted."""
    row = rng.choice([row for row in tables.orders if row["audit_seq"]])
    tables.orders.remove(row)
    return Named(row["order_key"])


def heads_column(tables: Tables, rng: random.Random) -> Named:
    """A head of a day is changed."""
    row = rng.choice(tables.heads)
    day, name = row["day"], rng.choice(["order_key", "seq", "head", "day"])
    row[name] = another(row[name], rng) if name != "order_key" else "web:s1:unheard"
    return Named(days=(day, row["day"]))


def heads_row(tables: Tables, rng: random.Random) -> Named:
    """A head is deleted, or made up."""
    row = rng.choice(tables.heads)
    if rng.random() < 0.5:
        tables.heads.remove(row)
    else:
        tables.heads.append(row | {"order_key": "web:s1:unheard"})
    return Named(days=(row["day"],))


def roots_column(tables: Tables, rng: random.Random) -> Named:
    """One column of a root, which the others then do not fit."""
    row = rng.choice(tables.roots)
    day, name = row["day"], rng.choice(sorted(row))
    row[name] = another(row[name], rng)
    return Named(days=(day, row["day"], day + timedelta(days=1)))


def reseal(tables: Tables, rng: random.Random) -> Named:
    """A root's members are changed and it alone made anew."""
    row = rng.choice(tables.roots)
    name = rng.choice(["closed_at", "records", "chains", "grown", "broken", "growth", "previous", "tree"])
    row[name] = another(row[name], rng)
    row["root"] = root_of(as_root(row))
    return Named(days=(row["day"], row["day"] + timedelta(days=1)), order_key=None) if name not in _UNSEEN else _told(tables, row["day"])


_UNSEEN = {"closed_at", "broken"}  # of the last root only a copy can tell them


def _told(tables: Tables, day: date) -> Named:
    if day != DAYS[-1]:
        return Named(days=(day + timedelta(days=1),))
    tables.outside = True
    return Named(days=(day,))


def delete_root(tables: Tables, rng: random.Random) -> Named:
    """A root is deleted, with the heads of its day where the topic has a copy."""
    row = rng.choice(tables.roots)
    tables.roots.remove(row)
    if rng.random() < 0.5:
        tables.outside = True
        tables.heads = [head for head in tables.heads if head["day"] != row["day"]]
    return Named(days=(row["day"], row["day"] + timedelta(days=1)))


def everything(tables: Tables, rng: random.Random) -> Named:
    """Chain, row, heads and roots are all made anew, as if it had always been so: only a copy elsewhere can tell."""
    chain, seq, _ = _place(tables, rng)
    key = chain[0]["order_key"]
    chain[seq - 1]["to_status"] = another(chain[seq - 1]["to_status"], rng)
    _rehash(tables, chain, seq)
    for head in tables.heads:
        if head["order_key"] == key:
            head["head"] = chain[head["seq"] - 1]["hash"]
    first = reseal_all(tables)
    tables.outside = True
    assert first is not None
    return Named(days=(first,))


def reseal_all(tables: Tables) -> date | None:
    """Take all roots anew; the first day whose root became another one."""
    previous, changed = ZERO, None
    for row in sorted(tables.roots, key=lambda row: row["day"]):
        newest: dict[str, Row] = {}
        for head in sorted(tables.heads, key=lambda head: head["day"]):
            if head["day"] <= row["day"]:
                newest[head["order_key"]] = head
        heads = [newest[key] for key in sorted(newest, key=str.encode)]
        leaves = {key: head_leaf(key, newest[key]["seq"], newest[key]["head"]) for key in newest}
        before = row["root"]
        row["growth"] = merkle_root(leaves[head["order_key"]] for head in heads if head["day"] == row["day"]).hex()
        row["tree"] = merkle_root(leaves[head["order_key"]] for head in heads).hex()
        row["previous"] = previous
        row["root"] = previous = root_of(as_root(row))
        changed = changed or (None if row["root"] == before else row["day"])
    return changed


def newer_records(tables: Tables, rng: random.Random) -> Named:
    """What no root vouches for yet is rewritten or cut, with the order's row to fit: only order.audit can tell."""
    chain, seq, _ = _place(tables, rng, rooted=False)
    key = chain[0]["order_key"]
    if rng.random() < 0.5:
        chain[seq - 1]["to_status"] = another(chain[seq - 1]["to_status"], rng)
        _rehash(tables, chain, seq)
    else:
        _drop(tables, chain[seq - 1 :])
        tables.order(key).update(audit_seq=seq - 1, audit_head=chain[seq - 2]["hash"] if seq > 1 else ZERO)
    tables.outside = True
    return Named(key, seq, seq)


WAYS: tuple[Way, ...] = (
    *(column(name) for name in (*COLUMNS, "hash") if name not in {"order_key", "seq"}),
    another_order, another_place, swap_records, swap_orders, delete_record, cut_tail, delete_order, rewrite, rehash_one,
    delete_and_rehash, insert_and_rehash, fork, append, add_order, orders_row, delete_orders_row, heads_column, heads_row,
    roots_column, reseal, delete_root, everything, newer_records,
)  # fmt: skip
