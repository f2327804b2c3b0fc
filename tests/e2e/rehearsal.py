"""The demo's day on the folds alone: real connectors and tasks on the driver, no servers, a virtual clock."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from connectors.base import Push, Refused
from connectors.intake import addresses, envelope
from connectors.registry import CONNECTORS, decoders
from ops.config import load
from ops.simulator import merchant
from ops.simulator.accounts import accounts
from ops.simulator.asked import listings
from ops.simulator.day import Finding, Plan
from ops.simulator.facts import Account, Raw, Say
from ops.simulator.found import SUBJECTS
from ops.simulator.platforms import PLATFORMS
from ops.simulator.player import STALE, batches, forged
from schemas import codec, records, topics
from schemas.headers import cloudevent
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.records.driver import Driver

T = TypeVar("T", bound=msgspec.Struct)


class Rehearsal:
    """Plays phases; `bag` is what was found, as `ops.simulator.found` reads it from Postgres."""

    def __init__(self, folder: Path, clock: float) -> None:
        self._listings = listings()
        self._asked = {speaker: listing.at("http://127.0.0.1:9") for speaker, listing in self._listings.items()}
        file = merchant.write(folder, "http://127.0.0.1:9", self._asked.values())
        config = load(file)
        rules = RuleSet.load(folder / "rules.yaml")
        settings = StreamSettings("", config.channels, config.policy, rules)
        self.driver = Driver(tasks(settings, decoders()), clock=clock, batch=50)
        self._addresses = addresses(config.shops, CONNECTORS)
        self._accounts = accounts(config.shops)
        self._commands = itertools.count(1)
        self.refused: Counter[Finding] = Counter()
        self.taken: Counter[str] = Counter()

    def play(self, phase: Plan) -> None:
        """Send and fold all that a phase says."""
        for _, group in itertools.groupby(phase.says, key=lambda said: (said.speaker, isinstance(said, Raw))):
            told = list(group)
            if told[0].speaker in self._asked:
                self._list([said for said in told if isinstance(said, Say)])
                continue
            account = self._accounts[told[0].speaker]
            facts = [said for said in told if isinstance(said, Say)]
            for batch in batches(facts, PLATFORMS[account.source].per_push):
                self._push(account, PLATFORMS[account.source].write(account, batch), batch[0].speaker)
            for raw in (said for said in told if isinstance(said, Raw)):
                self._raw(account, raw)
        self.driver.run()

    def _raw(self, account: Account, raw: Raw) -> None:
        what = "forged" if raw.forged else "stale" if raw.stale else "unknown shop" if raw.shop else "too large"
        if raw.status in {404, 413}:  # the server's own answers, before any connector
            self.refused[f"refused.{raw.status}", f"{raw.speaker} {what}"] += 1
            return
        if raw.forged:
            account = forged(account)
        try:
            self._push(account, raw.body, raw.speaker, STALE if raw.stale else 0)
        except Refused as error:
            self.refused[f"refused.{error.status}", f"{raw.speaker} {what}"] += 1

    def _list(self, says: list[Say]) -> None:
        """What is said where nothing is pushed, read from the list that it stands in."""
        now_ms = int(self.driver.clock * 1000)
        for said in says:
            shop, listing = self._asked[said.speaker], self._listings[said.speaker]
            feed, _, thing = listing.row(said)
            for fact in CONNECTORS[shop.connector].pulled(shop, feed, json.dumps(thing).encode()):
                made = envelope(shop, fact, now_ms)
                self.driver.send(made.topic, made.key, made.value, made.timestamp_ms, made.headers)
                self.taken[said.speaker] += 1

    def _push(self, account: Account, body: bytes, speaker: str, age: int = 0) -> None:
        now = self.driver.clock
        request = PLATFORMS[account.source].seal(account, body, int(now) - age)
        push = Push(request.body, {name.lower(): value for name, value in request.headers.items()}, request.params)
        for made in self._addresses[account.source, account.shop].receive(push, now):
            self.driver.send(made.topic, made.key, made.value, made.timestamp_ms, made.headers)
            self.taken[speaker] += 1

    def resume(self, channel: str) -> None:
        """A person opens a channel again."""
        at = int(self.driver.clock * 1000)
        finding = records.ChannelFinding(
            finding_id=f"resume:{next(self._commands)}", channel=channel, kind="resume", at=at, detail="mended", by="test"
        )
        headers = cloudevent("ChannelFinding", finding.finding_id, "lockstep", channel, at)
        self.driver.send(topics.CHANNEL_FINDING, channel.encode(), codec.encode(finding), at, headers)
        self.driver.run()

    def read(self, topic: str, kind: type[T]) -> list[T]:
        """All records of a topic, without progress marks."""
        return [
            codec.decode(record.value, kind)
            for record in self.driver.read(topic)
            if record.value is not None and codec.name_of(record.value) == kind.__name__
        ]

    def bag(self) -> Counter[Finding]:
        """Everything found so far; a repeated record counts once."""
        return Counter({finding: n for part in self._parts() for finding, n in part.items()}) + self.refused

    def _parts(self) -> Iterable[Counter[Finding]]:
        jumps = self.read(topics.ORDER_JUMP, records.Jump)
        yield Counter((f"jump.{jump.kind}", jump.order_key) for jump in jumps)
        yield Counter(("jump.breach", jump.order_key) for jump in jumps if jump.breach)
        conflicts = {(found.conflict_id, found.state): found for found in self.read(topics.ORDER_CONFLICT, records.Conflict)}
        yield Counter((f"conflict.{one.kind}", one.order_key) for one in conflicts.values() if one.state == "opened")
        yield Counter((f"resolved.{one.kind}", one.order_key) for one in conflicts.values() if one.state == "resolved")
        control = self.read(topics.CHANNEL_CONTROL, records.ChannelControl)
        yield Counter(("channel.paused", f"{one.channel} {one.reason}") for one in control if one.action == "pause")
        yield Counter(("channel.resumed", one.channel) for one in control if one.action == "resume")
        yield from self._pool()
        yield from self._about_parcels()
        audit = self.read(topics.ORDER_AUDIT, records.AuditRecord)
        yield Counter(("late", f"{one.source} {one.order_key}") for one in audit if one.disposition == "late")
        yield Counter((f"dead.{one.reason}", one.source) for one in self.read(topics.DEAD, records.DeadLetter))
        alerts = {one.alert_key: one for one in self.read(topics.ALERT, records.Alert)}
        yield Counter((f"alert.{one.kind}", _subject(one)) for one in alerts.values())

    def _pool(self) -> Iterable[Counter[Finding]]:
        pool = self.read(topics.ORDER_POOL, records.PoolRecord)
        newest = {one.order_key: one for one in sorted(pool, key=lambda one: one.seq)}
        yield Counter((f"pool.{one.action}" + (f".{one.gate}" if one.action == "hold" else ""), key) for key, one in newest.items())
        yield Counter((f"held.{one.gate}", one.order_key) for one in pool if one.action == "hold" and one.gate != "review")

    def _about_parcels(self) -> Iterable[Counter[Finding]]:
        stalls = self.read(topics.PARCEL_STALL, records.Stall)
        yield Counter((f"stall.{one.tier if one.kind == 'stall' else one.kind}", one.parcel_key) for one in stalls)
        parcels = {one.parcel_key: one for one in self.read(topics.PARCEL_STATE, records.ParcelState)}
        yield Counter(("parcel.lost", one.parcel_key) for one in parcels.values() if one.status == "Lost")
        doubled: Counter[Finding] = Counter()
        for parcel in parcels.values():
            doubled["duplicate", parcel.courier] += parcel.duplicates
        for order in {one.order_key: one for one in self.read(topics.ORDER_STATE, records.OrderState)}.values():
            for source in order.sources:
                doubled["duplicate", source.source] += source.duplicates
        yield doubled


def _subject(alert: records.Alert) -> str:
    if alert.kind == "unmapped_status":
        _, source, code, *_ = alert.alert_key.split(":")
        return f"{source} {code}"
    subject: Any = getattr(alert, SUBJECTS.get(alert.kind, "alert_key"))
    return str(subject)


def pretty(bag: Counter[Finding]) -> str:
    """For a failing test."""
    return json.dumps({f"{kind} {subject}": n for (kind, subject), n in sorted(bag.items())}, ensure_ascii=False, indent=1)
