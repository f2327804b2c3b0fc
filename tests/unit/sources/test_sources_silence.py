"""A source that has fallen silent, and what only looks like it."""

from schemas import topics
from streams.policy import HOUR, MINUTE, SECOND, Policy, Silence
from tests.unit.sources.given import START, Sources

TEN = Policy(silence=Silence(sources={"web": 10 * MINUTE}))
DAY = 24 * 60  # minutes


def test_a_configured_silence_is_said_once_and_its_return_once() -> None:
    """Longer than allowed: one alert, however long; the first fact after it says that it is back."""
    sources = Sources(TEN)
    sources.push()
    sources.settle(9 * 60)
    assert sources.said("source_silent") == []
    sources.settle(2 * 60)
    sources.settle(3 * 3600)
    assert sources.states("source_silent") == ["alert"]
    sources.push()
    sources.settle(60)
    sources.push()
    sources.settle(60)
    assert sources.states("source_silent") == ["alert", "back"]
    silent, back = sources.said("source_silent")
    assert (silent.severity, back.severity) == ("warning", "info")
    assert silent.params["last_at"] == str(int(START * 1000))
    assert sources.run.errors == []


def test_a_source_that_the_policy_names_and_that_never_spoke_is_said() -> None:
    """Its silence counts from when we began to listen."""
    sources = Sources(Policy(silence=Silence(sources={"erp": 10 * MINUTE})))
    sources.push("web")
    sources.settle(13 * 60)
    assert [alert.params["source"] for alert in sources.said("source_silent")] == ["erp"]
    sources.push("erp")
    sources.settle(60)
    assert sources.states("source_silent") == ["alert", "back"]


def day(sources: Sources, talks: dict[int, int]) -> None:
    """A day from 10:00 on, in steps of 10 minutes; `talks`: hour of the day → facts every ten minutes."""
    for step in range(DAY // 10):
        hour = (10 + step // 6) % 24
        for _ in range(talks.get(hour, 0)):
            sources.push()
        sources.run.run()
        for _ in range(5):
            sources.run.advance(120)
    sources.run.run()


def test_a_learned_rhythm_knows_the_hours_at_which_a_source_is_silent() -> None:
    """By day it speaks every ten minutes, at night never: nights are not said, a morning without a word is."""
    sources = Sources(Policy(silence=Silence()), partitions=1)
    talks = dict.fromkeys(range(8, 23), 2)
    for _ in range(5):
        day(sources, talks)
    assert sources.said("source_silent") == []
    sources.settle(1.7 * 3600)  # ten minutes have passed since the last word
    assert sources.said("source_silent") == []
    sources.settle(0.3 * 3600)
    assert sources.states("source_silent") == ["alert"]
    sources.push()
    sources.settle(1)
    assert sources.states("source_silent") == ["alert", "back"]


def test_a_push_of_many_facts_once_a_day_is_no_rhythm_of_minutes() -> None:
    """Five hundred facts at ten in the morning do not make a silence of an hour too long."""
    sources = Sources(Policy(), partitions=1)
    for _ in range(4):
        for _ in range(200):
            sources.push()
        sources.settle(DAY * 60)
    assert sources.said("source_silent") == []


def test_an_hour_that_was_not_seen_often_enough_is_not_judged() -> None:
    """A source of two days' standing has no rhythm yet."""
    sources = Sources(Policy(), partitions=1)
    for _ in range(2):
        day(sources, dict.fromkeys(range(24), 1))
    sources.settle(20 * 3600)
    assert sources.said("source_silent") == []


def test_off_is_off() -> None:
    """Neither learned nor timed."""
    sources = Sources(Policy(silence=Silence(default="off")), partitions=1)
    for _ in range(4):
        day(sources, dict.fromkeys(range(24), 1))
    sources.settle(20 * 3600)
    assert sources.said("source_silent") == []


def test_a_downtime_of_ours_is_no_silence_of_theirs() -> None:
    """Nothing ran for three hours: nobody could be heard, so nobody was silent. It is judged again from then on."""
    sources = Sources(TEN)
    sources.push()
    sources.settle(60)
    sources.run.clock += 3 * HOUR / 1000
    sources.run.restart()
    sources.settle(9 * 60)
    assert sources.said("source_silent") == []
    sources.settle(3 * 60)
    assert sources.states("source_silent") == ["alert"]


def test_a_short_restart_does_not_begin_the_silence_anew() -> None:
    """Restarted every two minutes, the silence is still found."""
    sources = Sources(TEN)
    sources.push()
    for _ in range(7):
        sources.settle(60)
        sources.run.clock += 60
        sources.run.restart()
    sources.settle(60)
    assert sources.states("source_silent") == ["alert"]


def test_a_backlog_is_no_silence() -> None:
    """Facts came all the time but were not read: before they are read, nobody is judged, and afterwards nobody was silent."""
    sources = Sources(TEN)
    sources.push()
    sources.settle(10)
    for _ in range(60):  # normalise stands still while its topic grows: the driver does not tick it
        sources.run.clock += 60
        sources.push()
    sources.settle(5)
    assert sources.said("source_silent") == []
    sources.settle(9 * 60)
    assert sources.said("source_silent") == []


def test_one_partition_that_is_not_read_holds_the_judgement() -> None:
    """Silence is judged up to the slowest partition of the source's topic."""
    sources = Sources(TEN)
    sources.push()
    sources.settle(10)
    log = sources.run.log
    stuck = next(part for part in sources.run._partitions if part.source == topics.raw_order("web") and part.number == 1)
    sources.run._partitions.remove(stuck)
    sources.settle(3600)
    assert sources.said("source_silent") == []
    assert log.topics[topics.SOURCE_PULSE][1] == []  # all of it is in one partition


def test_a_clock_that_was_ahead_makes_no_silence() -> None:
    """Facts received by a clock one day ahead, then right again: nothing is said of the day between."""
    sources = Sources(TEN)
    sources.push(ago=-24 * 3600)
    sources.settle(3600)
    assert sources.said("source_silent") == []


def test_marks_and_pulses_are_few() -> None:
    """An hour of silence costs a mark every five seconds and partition; a fact costs one pulse."""
    sources = Sources(Policy(), partitions=1)
    sources.push()
    sources.run.run()
    for _ in range(3600):
        sources.run.advance(1, rounds=1)
    records = sources.run.read(topics.SOURCE_PULSE)
    marks = [record for record in records if record.key.startswith(b"mark:")]
    assert len(records) - len(marks) == 1
    assert len(marks) <= 2 * (3600 * SECOND / (5 * SECOND) + 1)
