"""`lockstep topics create|list|doc|asyncapi`."""

import typer

from ops.commands.common import DATA, FINDINGS, ConfigOption, DataOption, JsonOption, console, print_json, run, table

app = typer.Typer(help="The topic catalogue: create, compare, document.", no_args_is_help=True)


@app.command()
def create(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Make the topics that are missing; what exists is left as it is."""
    from ops import topics
    from ops.installation import find

    place = find(config, data)
    made = run(topics.create(place.need_kafka(), topics.wanted(place.channels, place.need_model().partitions)))
    if as_json:
        print_json({"created": made})
    else:
        print("\n".join(f"made {name}" for name in made) or "every topic exists")


@app.command(name="list")
def list_topics(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Compare the catalogue with what Kafka has. Exit status 1 when they differ."""
    from ops import topics
    from ops.installation import find

    place = find(config, data)
    found = run(topics.look(place.need_kafka(), topics.wanted(place.channels, place.need_model().partitions)))
    if as_json:
        print_json(
            {
                "topics": [
                    {"name": item.topic.name, "key": item.topic.key, "partitions": item.partitions, "config": item.topic.config,
                     "public": item.topic.public, "differences": item.differences}
                    for item in found
                ]
            }
        )  # fmt: skip
    else:
        rows = [
            (
                item.topic.name,
                item.topic.key,
                item.partitions,
                item.topic.cleanup,
                _days(item.topic.retention_ms),
                "; ".join(item.differences) or "ok",
            )
            for item in found
        ]
        console().print(table(None, "topic", "key", "#partitions", "cleanup", "kept", "state", rows=rows))
    if any(item.differences for item in found):
        raise typer.Exit(FINDINGS)


@app.command()
def doc(config: ConfigOption = None, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """Print the public topics as a page for downstream systems, with the fields of their records."""
    from ops import topic_page
    from ops.installation import find

    place = find(config, data)
    channels = place.channels if place.model else ("<channel>",)
    partitions = place.model.partitions if place.model else 4
    if as_json:
        print_json(topic_page.as_json(channels, partitions))
    else:
        print(topic_page.as_markdown(channels, partitions))


@app.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3.0 document of the public topics, with the Avro schemas in it."""
    from ops.asyncapi import text

    print(text(), end="")


def _days(milliseconds: int) -> str:
    return "for ever" if milliseconds < 0 else f"{milliseconds // 86_400_000} d"
