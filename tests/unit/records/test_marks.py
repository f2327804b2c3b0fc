"""Up to when deadlines may be judged."""

from streams.records.marks import Marks


def test_judged_is_the_lowest_mark() -> None:
    """Nothing is judged before every feed has spoken; then up to the one that is furthest behind."""
    marks = Marks({"a", "b"}, 300.0, now=0.0)
    assert marks.judged(1.0) is None
    marks.take("a", 100.0, 1.0)
    assert marks.judged(1.0) is None
    marks.take("b", 90.0, 1.0)
    assert marks.judged(1.0) == 90.0


def test_a_mark_never_goes_back() -> None:
    """A mark read again after a restart, or one of a stranger, changes nothing."""
    marks = Marks({"a"}, 300.0, now=0.0)
    marks.take("a", 100.0, 1.0)
    marks.take("a", 50.0, 2.0)
    marks.take("stranger", 1.0, 2.0)
    assert marks.judged(3.0) == 100.0


def test_a_standing_feed_is_said_once_and_left_out() -> None:
    """A feed that stands still is said once per standstill, left out of the judgement, and back when it moves."""
    marks = Marks({"a", "b"}, 300.0, now=0.0)
    marks.take("a", 100.0, 0.0)
    marks.take("b", 100.0, 0.0)
    marks.take("a", 400.0, 300.0)
    assert marks.stuck(299.0) == []
    assert marks.stuck(300.0) == [("b", 100.0)]
    assert marks.stuck(301.0) == []
    assert marks.judged(301.0) == 400.0
    marks.take("b", 101.0, 302.0)
    assert marks.judged(302.0) == 101.0
    assert marks.stuck(602.0) == [("a", 400.0), ("b", 101.0)]
    assert marks.judged(602.0) is None


def test_a_feed_that_never_spoke_is_said_too() -> None:
    """Silence from the beginning is a standstill at 0."""
    marks = Marks({"a", "b"}, 300.0, now=1000.0)
    marks.take("a", 1100.0, 1100.0)
    assert marks.stuck(1300.0) == [("b", 0.0)]
    assert marks.judged(1300.0) == 1100.0


def test_without_feeds_it_is_the_wall_clock() -> None:
    """A task without feeds judges by the wall clock."""
    assert Marks((), 300.0, now=0.0).judged(77.0) == 77.0
