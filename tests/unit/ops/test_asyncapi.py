"""The AsyncAPI document: valid, whole, and the same as what the catalogue and the Avro files say."""

import json
from pathlib import Path

import fastavro
import jsonschema
import pytest

from ops import asyncapi
from schemas import evolve, topics

RULES = json.loads(
    (Path(__file__).parent / "data" / "asyncapi-3.0.0.json").read_text(encoding="utf-8")
)  # @asyncapi/specs 6.11.1, Apache-2.0


def test_the_committed_document_is_true() -> None:
    """`schemas/asyncapi.json` is what `python -m ops.asyncapi` writes today."""
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi.text(), "run python -m ops.asyncapi"


def test_it_is_valid() -> None:
    """AsyncAPI's own JSON schema finds nothing wrong, and does find something in a document with an unknown action."""
    document = json.loads(asyncapi.text())
    jsonschema.Draft7Validator(RULES).validate(document)
    document["operations"]["publishAlert"]["action"] = "publish"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(RULES).validate(document)


def test_every_public_topic_and_no_other_is_told() -> None:
    """Each public topic has a channel with the catalogue's settings; the engine's own topics have none."""
    told = {channel["address"]: channel for channel in asyncapi.document()["channels"].values()}
    public = {topic.name: topic for topic in topics.catalogue((asyncapi.ANY,)) if topic.public}
    assert told.keys() == public.keys()
    for name, topic in public.items():
        config = told[name]["bindings"]["kafka"]["topicConfiguration"]
        assert config["cleanup.policy"] == [topic.cleanup]
        assert str(config.get("retention.ms", "none")) == topic.config.get("retention.ms", "none")


def test_payloads_are_the_newest_committed_schemas() -> None:
    """Each message has the newest Avro schema, which fastavro can read; the references lead somewhere."""
    document = asyncapi.document()
    messages = document["components"]["messages"]
    for name, message in messages.items():
        assert message["payload"]["schema"] == evolve.versions(name)[-1]
        fastavro.parse_schema(json.loads(json.dumps(message["payload"]["schema"])))
    for channel in document["channels"].values():
        assert all(each["$ref"].rpartition("/")[2] in messages for each in channel["messages"].values())
