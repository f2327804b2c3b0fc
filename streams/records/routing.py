"""Where an output goes."""

import functools

from aiokafka.partitioner import murmur2

from streams.records.task import Output


@functools.lru_cache(1 << 16)  # the hash is pure Python: 3 µs for a short key
def partition_of_key(key: bytes | None, count: int) -> int:
    """The partition of `key` among `count`, the same as Java clients choose; partition 0 without a key."""
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % count


def partition_of(output: Output, own: int, count: int) -> int:
    """The number of the partition for `output` of a task that reads partition `own`; its topic has `count`."""
    if output.partition is not None:
        return output.partition
    return partition_of_key(output.key, count) if output.rekey else own
