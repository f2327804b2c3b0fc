"""The topic catalogue on a real Kafka."""

from ops import topics as topic_tools
from ops.config import Kafka
from schemas.topics import raw_order


async def test_topics_are_made_once_and_as_the_catalogue_says(kafka: str) -> None:
    """The first creation makes all, the second none; nothing differs afterwards; another number of partitions is seen."""
    place, wanted = Kafka(kafka), topic_tools.wanted(("topic-test",), 2)
    made = await topic_tools.create(place, wanted)
    assert raw_order("topic-test") in made
    assert await topic_tools.create(place, wanted) == []
    mine = [item for item in await topic_tools.look(place, wanted) if item.topic.name in made]
    assert [item.differences for item in mine] == [[] for _ in mine]
    more = await topic_tools.look(place, topic_tools.wanted(("topic-test", "topic-missing"), 3))
    found = {item.topic.name: item.differences for item in more}
    assert found[raw_order("topic-test")] == ["2 partitions, 3 wanted"]
    assert found[raw_order("topic-missing")] == ["missing: run `lockstep topics create`"]
