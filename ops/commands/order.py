"""`lockstep order show` and `lockstep parcel show`."""

import json
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ops.commands.common import (
    DATA,
    FINDINGS,
    Columns,
    ConfigOption,
    DataOption,
    JsonOption,
    clock,
    console,
    listed,
    money,
    named,
    print_json,
    run,
)

order_app = typer.Typer(help="Orders.", no_args_is_help=True)
parcel_app = typer.Typer(help="Parcels.", no_args_is_help=True)

Row = dict[str, Any]
POOL = {"release": "release 放行", "hold": "hold 暂扣", "filter": "filter 过滤", "withdraw": "withdraw 撤回"}
DISPOSITIONS = {"change": "change 变更", "jump": "jump 跳变", "repeat": "repeat 重复", "late": "late 迟到"}


@order_app.command(name="show")
def show_order(
    key: Annotated[str, typer.Argument(metavar="KEY", help="channel:shop:order, or the order's own id where it is unique")],
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show an order: what each source says, its timeline, jumps, conflicts, pool and parcels. Exit status 1 when unknown."""
    from ops.installation import find

    found = run(_order(find(config, data).need_dsn(), key))
    if isinstance(found, list):
        _unknown(f"{key!r} is several orders: {', '.join(found)}" if found else f"there is no order {key!r}", as_json)
    elif as_json:
        print_json(found)
    else:
        console().print(_order_page(found))


@parcel_app.command(name="show")
def show_parcel(
    key: Annotated[str, typer.Argument(metavar="KEY", help="courier:tracking number")],
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show a parcel: its nodes, its watch and its stalls. Exit status 1 when unknown."""
    from ops.installation import find

    found = run(_parcel(find(config, data).need_dsn(), key))
    if found is None:
        _unknown(f"there is no parcel {key!r}; a key is courier:tracking number", as_json)
    elif as_json:
        print_json(found)
    else:
        console().print(_parcel_page(found))


def _unknown(why: str, as_json: bool) -> None:
    print_json({"error": why}) if as_json else typer.echo(why, err=True)
    raise typer.Exit(FINDINGS)


async def _order(dsn: str, key: str) -> Row | list[str]:
    """The order, or the keys that may be meant."""
    from ops import sql

    async with sql.connected(dsn) as connection:
        if found := await sql.order(connection, key):
            return found
        keys = [row["order_key"] for row in await connection.fetch(sql.ORDER_KEYS, key)]
        if len(keys) == 1 and (found := await sql.order(connection, keys[0])):
            return found
        return keys


async def _parcel(dsn: str, key: str) -> Row | None:
    from ops import sql

    async with sql.connected(dsn) as connection:
        return await sql.parcel(connection, key)


SOURCES: Columns = {
    "source": "source",
    "kind": "source_kind",
    "status": ("status", named),
    "after-sale 售后": ("aftersale_status", named),
    "said at": ("occurred_at", clock),
    "amount": ("payable_minor", lambda value: money(value, None)),
    "#facts": "observations",
    "#duplicates": "duplicates",
}
TIMELINE: Columns = {
    "#": "seq",
    "occurred 发生": ("occurred_at", clock),
    "received 收到": ("recorded_at", clock),
    "source": "source",
    "from": ("from_status", named),
    "to": ("to_status", named),
    "disposition": ("disposition", lambda value: str(DISPOSITIONS.get(value, value))),
    "trigger": "trigger",
    "by": "operator",
    "hash": ("hash", lambda value: value[:12]),
}
JUMPS: Columns = {
    "#n": "n",
    "kind": "kind",
    "source": "source",
    "from": ("from_status", named),
    "to": ("to_status", named),
    "occurred": ("occurred_at", clock),
    "breach": ("breach", lambda value: "超限" if value else ""),
}
CONFLICTS: Columns = {
    "kind": "kind",
    "state": "state",
    "opened": ("opened_at", clock),
    "resolved": ("resolved_at", clock),
    "evidence": ("evidence", lambda value: json.dumps(value, ensure_ascii=False)),
}
POOL_RECORDS: Columns = {
    "#": "seq",
    "action": ("action", lambda value: str(POOL.get(value, value))),
    "gate": "gate",
    "rule": "rule_id",
    "branch": "branch",
    "reason": "reason",
    "at": ("at", clock),
}
PARCELS: Columns = {
    "parcel": "parcel_key",
    "status": ("status", named),
    "last movement": ("last_movement_at", clock),
    "#episode": "episode",
    "#tier": "tier",
}
NODES: Columns = {
    "occurred": ("occurred_at", clock),
    "kind": "kind",
    "status": ("status", named),
    "code": "code",
    "text": "text",
    "place": "place",
    "order": "order_key",
}
STALLS: Columns = {
    "kind": "kind",
    "#episode": "episode",
    "#tier": "tier",
    "due": ("due_at", clock),
    "fired": ("fired_at", clock),
    "alerted": ("alerted", lambda value: "yes" if value else "no"),
}


def _order_page(found: Row) -> RenderableType:
    head = found["order"]
    pool, amount = POOL.get(head["pool"] or "", head["pool"] or "—"), money(head["payable_minor"], head["currency"])
    facts = [
        f"{named(head['status'])}   after-sale 售后 {named(head['aftersale_status'])}   {amount}",
        f"pool 订单池 {pool}{_because(head)}   jumps 跳变 {head['jump_count']}   open conflicts 未解决冲突 {head['open_conflicts']}",
    ]
    parts: list[RenderableType] = [Text(head["order_key"], style="bold"), *map(Text, facts)]
    parts += [Text(), listed("Sources 各方状态", found["sources"], SOURCES), Text(), listed("Timeline 时间线", found["timeline"], TIMELINE)]
    for title, name, columns in (
        ("Jumps 状态跳变", "jumps", JUMPS),
        ("Conflicts 冲突", "conflicts", CONFLICTS),
        ("Pool 订单池", "pool", POOL_RECORDS),
        ("Parcels 包裹", "parcels", PARCELS),
    ):
        if found[name]:
            parts += [Text(), listed(title, found[name], columns)]
    return Group(*parts)


def _because(head: Row) -> str:
    why = " ".join(filter(None, [head["gate"], head["rule_id"]]))
    return f" ({why})" if why else ""


def _parcel_page(found: Row) -> RenderableType:
    head = found["parcel"]
    watched = "watched 监控中" if head["watching"] else "not watched 未监控"
    moved = clock(head["last_movement_at"]) or "—"
    parts: list[RenderableType] = [
        Text(head["parcel_key"], style="bold"),
        Text(f"{named(head['status'])}   order {head['order_key'] or '—'}   {watched}   last movement {moved}"),
        Text(),
        listed("Nodes 物流节点", found["events"], NODES),
    ]
    if found["stalls"]:
        parts += [Text(), listed("Stalls 停滞", found["stalls"], STALLS)]
    return Group(*parts)
