"""Both identities of the accounts: nothing may be missing."""

from ops.doctor.finding import Finding, bad, good, note, several
from ops.doctor.lag import NO_GROUPS
from ops.doctor.site import Site
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.reports.accounting import Accounts, Place, take

TRIES = 4


async def look(site: Site) -> list[Finding]:
    """Counted on the topics and in the tables, apart."""
    kafka = site.place.need_kafka()
    place = Place(kafka.servers, kafka.security.client(), site.channels, STREAM_GROUP, SINK_GROUP)
    try:
        return judge(await take(site.dsn, place, TRIES))
    except NO_GROUPS:
        return [
            note("accounting", "no group has ever read: there is nothing to count", "start `lockstep up`, or the stream and sink roles")
        ]


def judge(found: Accounts) -> list[Finding]:
    """A difference at rest is bad; one on the way is not known yet."""
    wrong = [f"{row.source} {row.difference:+}" for row in found.facts if row.difference]
    wrong += [f"orders of {row.channel} {row.difference:+}" for row in found.orders if row.difference]
    if wrong and found.settled:
        return [
            bad(
                "accounting",
                f"differences: {several(wrong)}",
                "`lockstep accounting` shows both sums; ops/GUIDE.md, Accounting differences",
            )
        ]
    if wrong:
        return [note("accounting", "the pipeline is at work, its sums are on their way", "`lockstep accounting` waits longer")]
    return [good("accounting", f"{len(found.facts)} sources and {len(found.orders)} channels: every difference is 0")]
