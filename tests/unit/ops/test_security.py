"""One configuration of Kafka's security, understood alike by every client."""

import pytest

from ops.config import Security
from streams.app import StreamSettings, build
from streams.orders.rules import RuleSet
from streams.policy import Policy

SASL = Security("SASL_PLAINTEXT", "SCRAM-SHA-256", "lockstep", "s3cret-of-kafka")


def test_plaintext_needs_nothing() -> None:
    """The default gives no client anything to prove."""
    assert Security().client() == {}
    assert Security().engine() == {}


@pytest.mark.parametrize("security", [SASL, Security("SSL"), Security("SASL_SSL", "PLAIN", "u", "p")], ids=lambda given: given.protocol)
def test_the_engine_logs_in_as_the_other_roles_do(security: Security) -> None:
    """What the engine hands to its clients is what the connectors' producer gets."""
    settings = StreamSettings("127.0.0.1:9", ("web",), Policy(), RuleSet(), options=security.engine())
    given, expected = build(settings, {}).client_options, security.client()
    for name in ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password"):
        assert given.get(name) == expected.get(name)
    assert (given.get("ssl_context") is None) == (expected.get("ssl_context") is None)


def test_the_password_is_not_shown() -> None:
    """Neither the setting nor what is made of it repeats the password."""
    assert "s3cret" not in repr(SASL)
