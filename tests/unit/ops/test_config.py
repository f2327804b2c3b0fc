"""`lockstep.yaml`: what it means, and that every error has its file and line."""

from pathlib import Path

import pytest

from ops.config import Config, ConfigError, load
from ops.config.parse import parse
from ops.config.resolve import literal_secrets
from streams.policy import Conflicts, Policy

FULL = """merchant: demo
shops:
  - {source: douyin, shop: "1001", secret: "env:DOUYIN_1001", systems: [erp, wms]}
  - {source: generic, channel: web, shop: s1, secret: "plain:k1", systems: [erp]}
systems:
  - {source: jushuitan, name: erp, kind: erp, shop: main, secret: "env:JST"}
  - {source: generic, name: wms, kind: wms, shop: w1, secret: "plain:k2"}
couriers:
  - {source: kuaidi100, shop: main, secret: "env:KD100"}
  - {source: generic, courier: zto, shop: p1, secret: "plain:k3"}
policy:
  jumps: {count: every, max_per_order: 5}
  conflicts: {max_per_day: 2, grace: 5s}
  expectations: {paid_not_received: {within: 20m}, signed_not_synced: off, moved_after_end: off}
  stall: {tiers: [2s, 6s, 24s], out_for_delivery: 4s, quiet_hours: off}
  dedup_retention: 7d
bots:
  - {name: ops, kind: dingtalk, base_url: "http://127.0.0.1:9", token: "plain:t", secret: "plain:s", receives: [channel_paused]}
sms: {kind: http, base_url: "http://127.0.0.1:9", secret: "plain:s"}
kafka: {servers: "host:9092"}
postgres: {dsn: "env:PG"}
"""
ENVIRONMENT = {"DOUYIN_1001": "d", "JST": "j", "KD100": "k", "PG": "postgresql://u@h/d"}
SMALL = """merchant: demo
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:k1"}
"""


def _write(folder: Path, text: str) -> Path:
    file = folder / "lockstep.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def _load(folder: Path, text: str = FULL) -> Config:
    return load(_write(folder, text), ENVIRONMENT)


def _errors(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    file = _write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load(file, ENVIRONMENT if environment is None else environment)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_shops_systems_and_couriers_are_named_after_what_speaks(tmp_path: Path) -> None:
    """A channel's name is the channel, a system's its own, a courier's the courier; secrets are fetched."""
    shops = _load(tmp_path).shops
    assert [(shop.kind, shop.connector, shop.name, shop.shop, shop.secret, shop.systems) for shop in shops] == [
        ("channel", "douyin", "douyin", "1001", "d", ("erp", "wms")),
        ("channel", "generic", "web", "s1", "k1", ("erp",)),
        ("system", "jushuitan", "erp", "main", "j", ()),
        ("system", "generic", "wms", "w1", "k2", ()),
        ("courier", "kuaidi100", "kuaidi100", "main", "k", ()),
        ("courier", "generic", "zto", "p1", "k3", ()),
    ]
    assert _load(tmp_path).channels == ("douyin", "web")


def test_the_policy_is_laid_over_the_defaults(tmp_path: Path) -> None:
    """What the file gives counts, in milliseconds; `off` drops an expectation; the rest keeps its default."""
    policy = _load(tmp_path).policy
    assert (policy.jumps.count, policy.jumps.max_per_order) == ("every", 5)
    assert policy.conflicts == Conflicts(max_per_day=2, grace=5000, off=frozenset({"moved_after_end"}))
    assert policy.expectations["paid_not_received"] == 20 * 60_000
    assert policy.expectations["shipped_not_synced"] == Policy().expectations["shipped_not_synced"]
    assert "signed_not_synced" not in policy.expectations
    assert (policy.stall.tiers, policy.stall.out_for_delivery, policy.stall.quiet_hours) == (
        (2000, 6000, 24000),
        4000,
        None,
    )
    assert policy.dedup_retention == 7 * 86_400_000
    assert policy.order_retention == Policy().order_retention
    assert policy.links == {"douyin:1001": {"erp": "erp", "wms": "wms"}, "web:s1": {"erp": "erp"}}


def test_an_empty_policy_is_the_default(tmp_path: Path) -> None:
    """Without a word about policy every number is that of streams/policy.py."""
    config = _load(tmp_path, SMALL)
    assert config.policy == Policy(links={"web:s1": {}})
    assert (config.kafka, config.postgres) == (None, None)


def test_servers_in_the_environment_go_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LOCKSTEP_KAFKA__SERVERS and LOCKSTEP_POSTGRES__DSN win, and the file's own DSN need not resolve then."""
    monkeypatch.setenv("LOCKSTEP_KAFKA__SERVERS", "other:1234")
    monkeypatch.setenv("LOCKSTEP_POSTGRES__DSN", "postgresql://elsewhere/x")
    file = _write(tmp_path, FULL)
    config = load(file, {name: value for name, value in ENVIRONMENT.items() if name != "PG"})
    assert config.kafka is not None
    assert (config.kafka.servers, config.postgres) == ("other:1234", "postgresql://elsewhere/x")


def test_security_in_the_environment_is_laid_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LOCKSTEP_KAFKA__SECURITY__PASSWORD changes the password alone, and is never shown; an unknown one is an error."""
    monkeypatch.setenv("LOCKSTEP_KAFKA__SECURITY__PASSWORD", "tops3cret")
    config = _load(tmp_path, FULL.replace('"host:9092"', '"host:9092", security: {protocol: SASL_SSL, username: u}'))
    assert config.kafka is not None
    assert (config.kafka.security.protocol, config.kafka.security.username) == ("SASL_SSL", "u")
    assert config.kafka.security.password == "tops3cret"
    assert "tops3cret" not in repr(config)
    monkeypatch.setenv("LOCKSTEP_KAFKA__SECURITY__PASWORD", "tops3cret")
    assert _errors(tmp_path, FULL) == ["environment: LOCKSTEP_KAFKA__SECURITY__PASWORD cannot be read: Extra inputs are not permitted"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("merchant: demo", "merchnat: demo", "lockstep.yaml:1: unknown key 'merchnat'; did you mean 'merchant'?"),
        ("systems: [erp, wms]}", "sistems: [erp]}", "lockstep.yaml:3: unknown key 'sistems'; did you mean 'systems'?"),
        ("max_per_day: 2", "max_day: 2", "lockstep.yaml:13: unknown key 'max_day'; did you mean 'max_per_day'?"),
        ("paid_not_received:", "paid_not_recieved:", "lockstep.yaml:14: unknown key 'paid_not_recieved'; did you mean 'paid_not_r"),
        ("{within: 20m}", "{whithin: 20m}", "lockstep.yaml:14: unknown key 'whithin'; did you mean 'within'?"),
        ("grace: 5s", "grace: soon", "lockstep.yaml:13: policy.conflicts.grace: 'soon' is no duration; write 30s, 10m, 2h or 1d"),
        ("systems: [erp]}", "systems: [epr]}", "lockstep.yaml:4: unknown system 'epr'; did you mean 'erp'?"),
        ("source: douyin", "source: duoyin", "lockstep.yaml:3: unknown source 'duoyin'; did you mean 'douyin'? (shops know"),
        ("channel: web, ", "", "lockstep.yaml:4: a generic entry needs `channel`"),
        ("shop: w1", "shop: s1", "lockstep.yaml:7: the shop 's1' of generic stands in shops (line 4) already"),
        ("name: wms", "name: erp", "lockstep.yaml:6: the name 'erp' is given to two systems"),
        ('secret: "plain:k1"', "secret: k1", "lockstep.yaml:4: shops.1.secret: a secret is a reference"),
        ("receives: [channel_paused]", "receives: [chanel_paused]", "lockstep.yaml:18: unknown kind of alert 'chanel_paused'; did"),
        ("kind: wms,", "", "lockstep.yaml:7: systems.1.kind is missing"),
        ("merchant: demo", "merchant: demo\nmerchant: two", "lockstep.yaml:2: the key 'merchant' is given twice"),
        ("merchant: demo", "merchant: [demo", "lockstep.yaml:2: is no YAML"),
        ("merchant: demo", "merchant: demo\nrules: no.yaml", "lockstep.yaml:2: rules: "),
    ],
)  # fmt: skip
def test_an_error_has_file_line_and_what_was_meant(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Each mistake is said where it stands, with the nearest known word."""
    assert old in FULL
    assert any(error.startswith(said) for error in _errors(tmp_path, FULL.replace(old, new, 1))), _errors(
        tmp_path, FULL.replace(old, new, 1)
    )


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    """Whoever mends a file sees every unset secret in one go, in order of lines."""
    errors = _errors(tmp_path, FULL, {})
    assert [error.split(": ")[0] for error in errors] == [f"lockstep.yaml:{line}" for line in (3, 6, 9, 21)]
    assert "the environment variable DOUYIN_1001 is not set" in errors[0]


def test_no_error_repeats_a_secret(tmp_path: Path) -> None:
    """A literal secret where a reference belongs is refused without being printed."""
    errors = _errors(tmp_path, FULL.replace("plain:k1", "tops3cret"))
    assert errors
    assert "tops3cret" not in "".join(errors)


def test_no_representation_holds_a_secret(tmp_path: Path) -> None:
    """Neither models nor settings print what they know."""
    text = FULL.replace("plain:k1", "plain:tops3cret").replace("plain:s", "plain:tops3cret")
    file = _write(tmp_path, text)
    model, _ = parse(file)
    assert "tops3cret" not in repr(model)
    assert "tops3cret" not in repr(load(file, {**ENVIRONMENT, "PG": "postgresql://u:tops3cret@h/d"}))


def test_literal_secrets_are_warned_of(tmp_path: Path) -> None:
    """Each `plain:` is a warning with its line, and no error."""
    model, document = parse(_write(tmp_path, FULL))
    warnings = list(literal_secrets(model, document))
    assert all(problem.warning for problem in warnings)
    assert [problem.line for problem in warnings] == [4, 7, 10, 18, 18, 19]


def test_a_secret_file_is_read_beside_the_configuration(tmp_path: Path) -> None:
    """file:PATH is relative to the configuration; white space at its end is no part of the secret."""
    (tmp_path / "key").write_text("s3\n")
    assert _load(tmp_path, SMALL.replace("plain:k1", "file:key")).shops[0].secret == "s3"
    assert _errors(tmp_path, SMALL.replace("plain:k1", "file:nokey")) == [
        "lockstep.yaml:3: shops.0.secret: the secret's file nokey cannot be read: No such file or directory"
    ]


def test_numbers_may_stand_where_text_is_meant(tmp_path: Path) -> None:
    """`shop: 1001` and `shop: 0123` mean what they look like; `off` needs no quotes."""
    for written, meant in (("1001", "1001"), ("0123", "0123"), ("off", "off")):
        assert _load(tmp_path, SMALL.replace("shop: s1", f"shop: {written}")).shops[0].shop == meant


def test_rules_are_checked_with_the_configuration(tmp_path: Path) -> None:
    """A mistake in a rule names the rules' file, its line and the nearest word."""
    rules = tmp_path / "rules.yaml"
    text = FULL + "rules: rules.yaml\n"
    rules.write_text("rules:\n  - {id: a, when: 'payable_minor > 5', action: hold, reason: big}\n")
    assert _load(tmp_path, text).rules == rules
    rules.write_text("rules:\n  - {id: a, when: 'true', action: hold}\n  - {id: b, whn: 'true', action: hold}\n")
    assert _errors(tmp_path, text) == ["rules.yaml:3: unknown key 'whn', the nearest known one is 'when'"]
    rules.write_text("rules:\n  - {id: a, when: 'payable > 5', action: hold}\n")
    assert _errors(tmp_path, text) == [
        "rules.yaml:2: not a CEL condition: unknown variable 'payable', the nearest known one is 'payable_minor'"
    ]
