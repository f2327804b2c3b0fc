"""The decision core under every fault that one seed thinks of, judged by an oracle that shares no decision with it.

Read it in this order: `plan` (what a seed decides), `stories` `words` `faults` (how), `cluster` (workers on the engine's test
driver), `tables` `sinks` `senders` (the other side of the topics), `run` (a plan played), `oracle/` (what should be true, by
the letter of semantics.md), `check` (what is), `shrink` and `report`.
"""
