"""A source that sends too much that cannot be used: said once, and once when it is well."""

from schemas import topics
from schemas.records import DeadLetter
from streams import wire
from streams.policy import MINUTE, DeadLetters, Policy
from tests.unit.sources.given import Sources

POLICY = Policy(dead_letters=DeadLetters(least=20, window=10 * MINUTE, consecutive=30, well_after=30 * MINUTE))


def hour(sources: Sources, bad: int, good: int, minutes: int = 10) -> None:
    """Each minute so many bad and good facts."""
    for _ in range(minutes):
        for n in range(bad + good):
            sources.push(good=n >= bad)
        sources.settle(60)


def test_a_storm_is_one_alert_and_its_end_another() -> None:
    """30 % of bad facts for an hour: one alert with reasons, share and what passed the limit, then one that it is over."""
    sources = Sources(POLICY)
    hour(sources, bad=0, good=10)
    assert sources.said("dead_letters") == []
    hour(sources, bad=3, good=7, minutes=60)
    assert sources.states("dead_letters") == ["alert"]
    hour(sources, bad=0, good=10, minutes=50)
    assert sources.states("dead_letters") == ["alert", "well"]
    sick, well = sources.said("dead_letters")
    assert sick.params["source"] == "web"
    assert sick.params["reasons"].startswith("unmapped_status ")
    assert int(sick.params["count"]) / int(sick.params["total"]) > 0.2
    assert (sick.severity, well.severity, sick.channel) == ("critical", "info", "web")
    assert sources.run.errors == []


def test_a_few_bad_facts_are_no_sickness() -> None:
    """Below the ratio, and of fewer facts than are judged, nothing is said."""
    sources = Sources(POLICY)
    hour(sources, bad=1, good=9, minutes=30)
    assert sources.said("dead_letters") == []
    few = Sources(POLICY)
    hour(few, bad=1, good=0, minutes=15)
    assert few.said("dead_letters") == []


def test_nothing_good_at_all_is_said_however_slow_it_comes() -> None:
    """So many bad ones in a row pass the other limit, whatever the window holds; one good one begins the run anew."""
    sources = Sources(Policy(dead_letters=DeadLetters(least=1000, consecutive=6)), partitions=1)
    for n in range(20):
        sources.push(good=n % 5 == 4)
        sources.settle(600)
    assert sources.said("dead_letters") == []
    for _ in range(6):
        sources.push(good=False)
        sources.settle(600)
    assert [alert.params["run"] for alert in sources.said("dead_letters")] == ["6"]


def test_who_swings_around_the_limit_makes_no_flood() -> None:
    """Ten minutes bad, ten minutes good, for five hours: it stays one alert."""
    sources = Sources(POLICY)
    for _ in range(15):
        hour(sources, bad=4, good=6)
        hour(sources, bad=0, good=10)
    assert sources.states("dead_letters") == ["alert"]


def test_unmapped_codes_are_told_as_before() -> None:
    """The day's alert per code stays, beside the one about the source; every bad fact is a dead letter."""
    sources = Sources(POLICY)
    hour(sources, bad=5, good=5)
    assert [alert.params["code"] for alert in sources.said("unmapped_status")] == ["Teleported"]
    assert sources.states("dead_letters") == ["alert"]
    assert len([wire.decode(record, DeadLetter) for record in sources.run.read(topics.DEAD)]) == 50


def test_letters_that_are_replayed_say_nothing_of_the_source() -> None:
    """A replay of old letters that fail again makes nobody sick: they were received long ago."""
    sources = Sources(POLICY)
    hour(sources, bad=0, good=10)
    for _ in range(200):
        sources.push(good=False, ago=3600)
    sources.settle(60)
    assert sources.said("dead_letters") == []


def test_sickness_survives_restarts() -> None:
    """Killed after each minute, it is still said once, and once that it is over."""
    sources = Sources(POLICY)
    for bad in (*[4] * 20, *[0] * 50):
        hour(sources, bad=bad, good=10 - bad, minutes=1)
        sources.run.restart()
    assert sources.states("dead_letters") == ["alert", "well"]
