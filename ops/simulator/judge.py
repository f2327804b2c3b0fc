"""Whether it went as planned: findings, deliveries, both identities, the audit chains and the bots."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.simulator import found, report
from ops.simulator.asked import Listing
from ops.simulator.bot import Bots
from ops.simulator.day import Finding
from ops.simulator.facts import ASKED, CHANNELS, MORE
from ops.simulator.performance import Performance
from ops.simulator.player import Player

FAULTS: Final = ("conflict.", "jump.")


@dataclass(frozen=True)
class Verdict:
    """What the end is judged by: each line of `wrong` is a reason for status 1."""

    planted: Counter[Finding]
    found: Counter[Finding]
    accounting: dict[str, list[dict[str, Any]]]
    wrong: list[str]
    facts: list[str]  # for the reader
    example: str  # an order worth looking at


async def judge(performance: Performance, planted: Counter[Finding], bots: Bots) -> Verdict:
    """Look once more, and at everything."""
    bag, sent = performance.bag, performance.player.sent
    wrong = list(report.differences(planted, bag))
    status, accounting = await performance.installation.json("accounting")
    if status:
        wrong.append(f"`lockstep accounting` ended with status {status}: a difference is not 0")
    raw = await found.raw_facts(performance.connection)
    wrong += _deliveries(sent.taken, raw)
    wrong += _refusals(performance.player.listings)
    status, printed = await performance.installation.command("audit", "verify")
    if status:
        wrong.append(f"`lockstep audit verify` ended with status {status}: {printed.decode(errors='replace')[-300:]}")
    ids, texts = await found.sent_alerts(performance.connection), bots.texts()
    if silent := [alert for alert in ids if alert not in texts]:
        wrong.append(f"{len(silent)} alerts count as sent, but no bot has read them, {silent[0]} among them")
    if waiting := await found.unsent(performance.connection):
        wrong.append(f"{waiting} alerts still wait for their bot")
    wrong += [f"a bot refused a message: {why}" for why in sorted(set(bots.refused)) if not why.startswith(("130101", "45009"))]
    facts = [
        f"{sent.facts:,} facts in {sent.pushes:,} signed pushes, {sent.retries} of them tried again.",
        f"{len(ids)} alerts in {len(bots.taken)} messages at three bots and an SMS gateway, signatures checked.",
    ]
    facts += _played(performance.player, planted)
    if performance.paused_after is not None:
        facts.append(f"Both channels stood paused {performance.paused_after:.1f} s after the last push of the storms.")
    example = next(subject for kind, subject in planted if kind == "jump.breach")
    return Verdict(planted, bag, accounting, wrong, facts, example)


def _refusals(listings: Mapping[str, Listing]) -> Iterator[str]:
    """Each platform that was asked has refused a call too many, and one with an expired token where it has tokens."""
    for name, listing in listings.items():
        for code in (listing.rate_code, listing.token_code):
            if code is not None and not listing.refused[code]:
                yield f"{name} has refused no call with {code}: what comes after that was not played"


def _played(player: Player, planted: Counter[Finding]) -> Iterator[str]:
    """Who spoke, and how."""
    channels, pushed = (*CHANNELS, *MORE), sorted(player.sent.taken.keys() - player.listings.keys())
    yield f"Channels that pushed: {', '.join(name for name in channels if name in pushed)}."
    yield f"Systems and couriers that pushed: {', '.join(name for name in pushed if name not in channels)}."
    for name, listing in player.listings.items():
        said = f"{name}, {listing.read:,} facts in {sum(listing.asked.values()):,} calls"
        said += f"; {listing.refused[listing.rate_code]} call refused as one too many"
        if listing.token_code:
            said += f", {listing.refused[listing.token_code]} with an expired token, which was renewed"
        yield f"Asked by the role poll: {said}."
    alone = sum(n for (kind, subject), n in planted.items() if kind.startswith(FAULTS) and subject.split(":")[0] in ASKED)
    yield f"{alone} conflicts and jumps of {', '.join(ASKED)} were planted where nothing is pushed: asking finds them."


def _deliveries(taken: Counter[str], raw: Counter[str]) -> Iterator[str]:
    """Every fact that was acknowledged is a raw event, and no other."""
    for source in sorted(taken.keys() | raw.keys()):
        if taken[source] != raw[source]:
            yield f"{source}: {taken[source]} facts were acknowledged, {raw[source]} raw events are there"
