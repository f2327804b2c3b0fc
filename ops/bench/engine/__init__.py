"""`lockstep bench engine`: the same small job in the engine and in its peers, one after the other on one Kafka.

Count per key, add the count to a JSON record of about 130 bytes, write it out, keep the count in a changelog; 4
partitions, one worker. Every program is watched from outside: the rate is that of records durable in its output topic,
from the first to the last.
"""

from ops.bench.engine.run import Result, run

__all__ = ["Result", "run"]
