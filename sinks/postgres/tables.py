"""The tables that record batches are written to, described once each: columns, key, and which of two rows is newer."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

Row = tuple[Any, ...]


@dataclass(frozen=True, eq=False)  # each is itself: a key of dicts on the hot path
class Table:
    """One table of schema `lockstep`.

    `newer` names the integer column by which one row of a key replaces another; None: the first row of a key stays.
    `changed`: a newer row that says nothing else is left out; `newer` is then of the last change.
    `fixed`: a later row of the same key must say the same; one that differs is reported, never written.
    `counts`: columns by which written rows are counted, for metrics; generated ones too. `received`: when its fact was received.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    newer: str | None = None
    fixed: bool = False
    changed: bool = False
    counts: tuple[str, ...] = ()
    received: str | None = None

    @cached_property
    def stage(self) -> str:
        """Name of the temporary staging table."""
        return f"stage_{self.name}"

    @cached_property
    def key_at(self) -> tuple[int, ...]:
        """Positions of the key's columns in a row."""
        return tuple(self.columns.index(column) for column in self.key)

    @cached_property
    def newer_at(self) -> int | None:
        """Position of `newer` in a row."""
        return None if self.newer is None else self.columns.index(self.newer)

    @cached_property
    def received_at(self) -> int | None:
        """Position of `received` in a row."""
        return None if self.received is None else self.columns.index(self.received)

    @cached_property
    def create_stage(self) -> str:
        """The staging table of a connection; a commit or a rollback empties it."""
        return (
            f"CREATE TEMP TABLE IF NOT EXISTS {self.stage} ON COMMIT DELETE ROWS AS "  # noqa: S608 (names are our own)
            f"SELECT {_names(self.columns)} FROM lockstep.{self.name} WITH NO DATA"
        )

    @cached_property
    def merge(self) -> str:
        """From staging into the table."""
        action = "NOTHING" if self.newer is None else self._update()
        merge = (
            f"INSERT INTO lockstep.{self.name} AS old ({_names(self.columns)}) "  # noqa: S608 (names are our own)
            f"SELECT {_names(self.columns)} FROM pg_temp.{self.stage} ON CONFLICT ({_names(self.key)}) DO {action}"
        )
        if not self.counts:
            return merge
        told = _names(self.counts)
        return (  # a row that was inserted has been locked or replaced by nobody: its xmax is 0
            f"WITH merged AS ({merge} RETURNING {told}, xmax = 0 AS fresh) "  # noqa: S608 (names are our own)
            f"SELECT {told}, fresh, count(*) AS n FROM merged GROUP BY {told}, fresh"
        )

    def _update(self) -> str:
        changes = ", ".join(f'"{column}" = excluded."{column}"' for column in self.columns if column not in self.key)
        newer = f"UPDATE SET {changes} WHERE old.{self.newer} < excluded.{self.newer}"
        if not self.changed:
            return newer
        told = [column for column in self.columns if column not in (*self.key, self.newer)]
        old, new = (", ".join(f'{side}."{column}"' for column in told) for side in ("old", "excluded"))
        return f"{newer} AND ({old}) IS DISTINCT FROM ({new})"

    @cached_property
    def differing(self) -> str:
        """Keys of staged rows whose stored row says something else."""
        told = [column for column in self.columns if column not in self.key]
        old, new = (", ".join(f'{side}."{column}"' for column in told) for side in ("old", "new"))
        keys = ", ".join(f'new."{column}"' for column in self.key)
        return (
            f"SELECT {keys} FROM pg_temp.{self.stage} new JOIN lockstep.{self.name} old "  # noqa: S608 (names are our own)
            f"USING ({_names(self.key)}) WHERE ({old}) IS DISTINCT FROM ({new})"
        )


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ORDERS: Final = Table(
    "orders",
    ("order_key",),
    _columns(
        "order_key channel shop_id order_id version status aftersale_status payable_minor currency payment_method customer_id"
        " province paid paid_at ended jump_count open_conflicts pool released gate rule_id audit_seq audit_head parcels updated_at"
    ),
    newer="version",
)
ORDER_SOURCES: Final = Table(
    "order_sources",
    ("order_key", "source"),
    _columns(
        "order_key source source_kind version status aftersale_status stock_status occurred_at received_at payable_minor"
        " currency observations duplicates"
    ),
    newer="version",
    changed=True,  # an order's state repeats what all its sources say, and one has spoken
)
AUDIT: Final = Table(
    "audit",
    ("order_key", "seq"),
    _columns(
        "order_key seq source axis operator trigger occurred_at recorded_at from_status to_status disposition raw_event_id"
        " prev_hash hash derived clock"
    ),
    fixed=True,
    received="recorded_at",
)
JUMPS: Final = Table(
    "jumps",
    ("order_key", "source", "event_id"),
    _columns("order_key event_id channel source axis kind n from_status to_status occurred_at recorded_at breach"),
    counts=("channel", "kind"),
)
CONFLICTS: Final = Table(
    "conflicts",
    ("conflict_id",),
    _columns("conflict_id order_key channel kind state version opened_at resolved_at due_at evidence"),
    newer="version",
    counts=("channel", "kind", "state"),
)
_POOL: Final = _columns("order_key channel seq record_id action gate rule_id branch tags account reason paid_at payable_minor currency at")
POOL: Final = Table("pool", ("order_key",), _POOL, newer="seq")
POOL_HISTORY: Final = Table("pool_history", ("order_key", "seq"), _POOL, counts=("channel", "action", "gate"))
_CHANNEL: Final = _columns("channel seq state action reason why by since evidence order_keys")
CHANNEL_STATE: Final = Table("channel_state", ("channel",), _CHANNEL, newer="seq")
CHANNEL_HISTORY: Final = Table("channel_history", ("channel", "seq"), _CHANNEL, counts=("channel", "action"))
PARCELS: Final = Table(
    "parcels",
    ("parcel_key",),
    _columns(
        "parcel_key order_key courier tracking_no version customer_id status status_at text place last_movement_at watching"
        " episode tier observations duplicates updated_at"
    ),
    newer="version",
)
PARCEL_EVENTS: Final = Table(
    "parcel_events",
    ("parcel_key", "source", "event_id"),
    _columns("parcel_key source event_id kind status code text place reason occurred_at received_at clock operator order_key customer_id"),
    received="received_at",
)
STALLS: Final = Table(
    "stalls",
    ("parcel_key", "kind", "episode", "tier"),
    _columns("parcel_key kind episode tier due_at fired_at last_movement_at order_key customer_id alerted"),
    counts=("kind", "tier"),
)
ALERTS: Final = Table(
    "alerts",
    ("alert_id",),
    _columns(
        "alert_id alert_key target kind severity priority channel order_key parcel_key customer_id params title text status at"
        " created_at due_at"
    ),
    counts=("kind", "target"),
)
DEAD_LETTERS: Final = Table(
    "dead_letters",
    ("origin_topic", "origin_partition", "origin_offset"),
    _columns(
        "origin_topic origin_partition origin_offset event_id source connector kind shop reason detail digest stage received_at"
        " headers payload"
    ),
    counts=("source", "reason", "stage", "replay_of"),
    received="received_at",
)
TABLES: Final = (
    ORDERS, ORDER_SOURCES, AUDIT, JUMPS, CONFLICTS, POOL, POOL_HISTORY, CHANNEL_STATE, CHANNEL_HISTORY, PARCELS, PARCEL_EVENTS,
    STALLS, ALERTS, DEAD_LETTERS,
)  # fmt: skip
