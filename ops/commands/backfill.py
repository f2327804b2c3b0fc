"""`lockstep backfill`: a range of the past is asked for again."""

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.common import DATA, FINDINGS, SHANGHAI, ConfigOption, DataOption, JsonOption, clock, console, print_json, run, table
from ops.usage import UsageError

if TYPE_CHECKING:
    from connectors.config import Shop
    from connectors.pull.base import Feed
    from ops.config import Kafka


@dataclass(frozen=True)
class Wanted:
    """What is to be read. Times in ms."""

    kafka: "Kafka"
    shop: "Shop"
    feeds: "tuple[Feed, ...]"
    start: int
    end: int


def backfill(
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The platform, or the name of the channel, system or courier")],
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="First day, or a time such as 2026-11-22T08:00, in Shanghai")],
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, read whole, or a time; never beyond now")],
    shop: Annotated[str | None, typer.Option("--shop", metavar="ID", help="Needed where the source has several")] = None,
    feed: Annotated[str | None, typer.Option("--feed", metavar="LIST", help="Only this list [default: all that are configured]")] = None,
    config: ConfigOption = None,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Ask a platform again for what changed in a range of days: facts → raw topics. What was there already is a duplicate.

    Interrupted, the same command goes on where it stopped. The poller goes on beside it, and its place stays where it is.
    Exit status 0 when all was read, 1 when the platform did not let it.
    """
    wanted = _wanted(source, shop, feed, (start, end), config, data)
    raise typer.Exit(run(_play(wanted, as_json)))


def _wanted(source: str, shop: str | None, feed: str | None, days: tuple[str, str], config: Path | None, data: Path) -> Wanted:
    from connectors.pull.backfill import MAX_DAYS
    from connectors.pull.registry import PULLERS, feeds_of
    from ops.config.problems import unknown
    from ops.installation import find, need_config

    start, end = _moment(days[0], last=False), min(_moment(days[1], last=True), int(datetime.now(SHANGHAI).timestamp()) * 1000)
    if not start < end:
        raise UsageError(f"--from {days[0]} is not before --to {days[1]} and now")
    if end - start > MAX_DAYS * 86_400_000:
        raise UsageError(f"the range is longer than {MAX_DAYS} days: do it in parts")
    shops = need_config(config, data).shops
    found = [each for each in shops if source in {each.name, each.connector} and shop in {None, each.shop}]
    if len(found) != 1:
        known = ", ".join(f"--source {each.name} --shop {each.shop}" for each in found or shops if each.connector in PULLERS)
        raise UsageError(f"{'several shops are' if found else 'no shop is'} meant; those that can be pulled from: {known or 'none'}")
    if found[0].pull is None:
        raise UsageError(f"{source} {found[0].shop} has no `pull:` in the configuration: without it there are no tokens to ask with")
    feeds = [each for each in feeds_of(found[0]) if feed in {None, each.name}]
    if not feeds:
        raise UsageError(unknown("feed", feed or "", [each.name for each in feeds_of(found[0])]))
    _within_reach(feeds, start)
    return Wanted(find(config, data).need_kafka(), found[0], tuple(feeds), start, end)


def _within_reach(feeds: "list[Feed]", start: int) -> None:
    """Refuse what a platform does not list any more, instead of reading nothing."""
    now = datetime.now(SHANGHAI).timestamp() * 1000
    for each in feeds:
        if each.reach is not None and start < now - each.reach:
            first = datetime.fromtimestamp((now - each.reach) / 1000, SHANGHAI)
            raise UsageError(f"the list {each.name} goes back to {first:%Y-%m-%d %H:%M} only: begin later, or name another with --feed")


def _moment(text: str, *, last: bool) -> int:
    """A day or a time of Shanghai's clock in ms; the end of a day where it is the last."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
            when = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
        else:
            when = datetime.fromisoformat(text)
            when = when if when.tzinfo else when.replace(tzinfo=SHANGHAI)
        return int(when.timestamp()) * 1000
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no day such as 2026-11-22, nor a time such as 2026-11-22T08:00") from None


async def _play(wanted: Wanted, as_json: bool) -> int:
    import logging

    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from connectors.pull.backfill import open_backfill
    from connectors.pull.client import Failed

    logging.getLogger("lockstep").setLevel(logging.CRITICAL)  # what happens is said below
    bars = Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), disable=as_json)
    rows = {feed.name: bars.add_task(feed.name, total=wanted.end - wanted.start) for feed in wanted.feeds}
    seen: dict[str, Any] = {}

    def tell(at: Any) -> None:
        seen[at.feed] = at
        bars.update(rows[at.feed], completed=at.until - at.start, description=f"{at.feed} {at.facts}")

    failed: Failed | None = None
    with bars:
        async with open_backfill(
            wanted.kafka.servers, wanted.shop, f"backfill-{os.getpid()}", wanted.kafka.security.client(), tell
        ) as work:
            for feed in wanted.feeds:
                try:
                    await work.play(feed, wanted.start, wanted.end)
                except Failed as error:
                    failed = error
                    break
    _say(wanted, seen, failed, as_json)
    return FINDINGS if failed else 0


def _say(wanted: Wanted, seen: dict[str, Any], failed: Any, as_json: bool) -> None:
    rows = [
        {
            "feed": at.feed,
            "facts": at.facts,
            "windows": at.windows,
            "until": datetime.fromtimestamp(at.until / 1000, SHANGHAI).isoformat(),
            "done": at.done,
            "resumed": at.resumed,
        }
        for at in seen.values()
    ]
    error = {"code": failed.code, "said": failed.said, "do": failed.row.do} if failed else None
    if as_json:
        print_json({"source": wanted.shop.name, "shop": wanted.shop.shop, "feeds": rows, "error": error})
        return
    cells = [(row["feed"], row["facts"], row["windows"], clock(row["until"]), "yes" if row["done"] else "no") for row in rows]
    console().print(table(f"{wanted.shop.name} {wanted.shop.shop}", "list", "#facts", "#windows", "read up to", "done", rows=cells))
    if failed:
        print(f"stopped: {failed}\n{failed.row.do}\nThe same command goes on from here.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backfill)
