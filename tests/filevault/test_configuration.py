"""The environment: all of it written down, and a bad variable stops the start with one line."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from filevault.env import Environment

ROOT = Path(__file__).resolve().parents[2]
READS = re.compile(
    r'(?:env\.\w+|seconds)\(\s*"([A-Z][A-Z0-9_]+)"'
    r'|os\.environ\["([A-Z_]+)"\]'
)

#: The least that starts, as in production.
PRODUCTION = {
    "SECRET_KEY": "xK4-q8Zt_9sLmW2vB7nR1cY6uE3hJ5pD0aF-gTiOkQeNbVrUyM",
    "SITE_URL": "https://files.example.com",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "DATABASE_URL": "postgres://filevault:a-password@db.example.com/filevault",
    "FILEVAULT_BUCKET": "example-filevault",
    "OIDC_ISSUER": "https://login.example.com/pool",
    "OIDC_CLIENT_ID": "filevault",
    "DEFAULT_FROM_EMAIL": "no-reply@example.com",
    "INVITATION_SIGNING_KEYS": "k1:0123456789abcdef0123456789abcdef",
    "SIGNING_KEYS": "s1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
}


def variables() -> set[str]:
    source = (ROOT / "filevault" / "settings.py").read_text()
    return {name for found in READS.findall(source) for name in found if name}


def check(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **PRODUCTION, **changes}
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        env={name: value for name, value in environment.items() if value is not None},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def complaint_of_settings(**changes: str) -> str:
    """What stops the start, read from the settings alone: a process for each takes its time."""
    with (
        mock.patch.dict(os.environ, {**PRODUCTION, **changes}, clear=True),
        pytest.raises(ImproperlyConfigured) as stopped,
    ):
        runpy.run_path(str(ROOT / "filevault" / "settings.py"))
    return str(stopped.value)


def test_settings_are_read_by_the_pattern() -> None:
    assert {"SECRET_KEY", "AWS_REGION", "NOTICE_QUIET_SECONDS", "LOG_LEVEL"} <= variables()


def test_example_names_every_variable_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)) == variables()


def test_documentation_names_every_variable_and_no_other() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", text, re.MULTILINE)) == variables()


def test_what_must_be_set_stands_in_the_example_uncommented() -> None:
    example = (ROOT / ".env.example").read_text()
    assert set(PRODUCTION) <= set(re.findall(r"^([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))


def test_production_passes_the_deployment_check() -> None:
    done = check("--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_aurora_dsql_will_do_and_is_reached_by_a_proved_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "dsql://admin@abc.dsql.eu-central-1.on.aws/postgres"
    assert check(DATABASE_URL=address).returncode == 0
    monkeypatch.setenv("DATABASE_URL", address)
    options = Environment().database("DATABASE_URL")["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert Path(options["sslrootcert"]).stat().st_size > 0


@pytest.mark.parametrize("name", PRODUCTION)
def test_a_missing_variable_is_one_clear_line(name: str) -> None:
    done = check(**{name: None})
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Filevault can't start: ")
    assert name in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FILEVAULT_LOCAL", "maybe"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-to-50-random-characters-or-more-0123456789"),
        ("SITE_URL", "files.example.com"),
        ("SITE_URL", "http://files.example.com"),
        ("SITE_URL", "https://[files"),
        ("DATABASE_URL", "a-password"),
        ("DATABASE_URL", "http://a-password@db.example.com/filevault"),
        ("AWS_DEFAULT_REGION", "Frankfurt"),
        ("FILEVAULT_BUCKET", "s3://example"),
        ("TABLE_PREFIX", "file vault"),
        ("DEFAULT_FROM_EMAIL", "Filevault"),
        ("DATABASE_URL", "sqlite:///filevault.sqlite3"),
        ("OIDC_ISSUER", "login"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,nowhere"),
        ("MAX_UPLOAD_SIZE", "5 GiB"),
        ("MAX_UPLOAD_SIZE", str(5 * 1024**4 + 1)),
        ("MULTIPART_THRESHOLD", str(5 * 1024**3 + 1)),
        ("JOB_SHARDS", "0"),
        ("SESSION_IDLE_SECONDS", "-1"),
        ("SESSION_IDLE_SECONDS", "99999999999999"),
        ("S3_ADDRESSING_STYLE", "sideways"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("LOG_LEVEL", "loud"),
        ("PART_SIZE", "1000"),
        ("SCANNER_URL", "scanner:3310"),
        ("SCANNER_URL", "clamd://"),
        ("SCANNER_URL", "clamd://scanner:0"),
        ("SCANNER_URL", "clamd://scanner:3310/path"),
        ("SCANNER_URL", "unix:///run/clamd.ctl"),
        ("ALLOW_UNSCANNED", "perhaps"),
        ("INVITATION_SIGNING_KEYS", "k1:short"),
        ("INVITATION_SIGNING_KEYS", ":0123456789abcdef0123456789abcdef"),
        ("INVITATION_SIGNING_KEYS", "k1:change-me-to-32-random-characters-or-more"),
        ("SIGNING_KEYS", "s1:0123456789abcdef0123456789abcdef"),
        ("SIGNING_KEYS", "s1:not+in/base64url+not+in/base64url+not+in/00"),
        ("SIGNING_KEYS", "s 1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        ("SIGNING_KEYS", "s1:change-me-to-32-random-bytes-in-base64url-x"),
        (
            "SIGNING_KEYS",
            "s1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,"
            "s1:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        ),
    ],
)
def test_a_malformed_variable_is_one_clear_line(name: str, value: str) -> None:
    complaint = complaint_of_settings(**{name: value})
    assert len(complaint.splitlines()) == 1
    assert name in complaint
    assert "a-password" not in complaint


@pytest.mark.parametrize("prefix", ["filevault", "/file vault", "//", "/", "arn:aws:ssm:::x"])
def test_a_malformed_path_of_parameters_is_one_clear_line(prefix: str) -> None:
    complaint = complaint_of_settings(SSM_PREFIX=prefix)
    assert len(complaint.splitlines()) == 1
    assert "SSM_PREFIX must look like /filevault/production" in complaint


def test_parameters_that_cannot_be_read_are_one_clear_line_T3() -> None:
    """Nothing listens there."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    away = {"SSM_PREFIX": "/filevault/test", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    done = check(**keys, **away, SECRET_KEY=None)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "SSM_PREFIX is /filevault/test, but its parameters can't be read" in done.stderr
    assert "EndpointConnectionError" in done.stderr


def test_an_empty_variable_counts_as_not_set() -> None:
    example = (ROOT / ".env.example").read_text()
    optional = re.findall(r"^#([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)
    done = check(**dict.fromkeys(optional, ""))
    assert done.returncode == 0, done.stderr


def test_the_web_server_says_it_in_one_line_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0"],
        env={"PATH": os.environ["PATH"], **PRODUCTION, "JOB_SHARDS": "many"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "Filevault can't start: JOB_SHARDS must be a whole number above 0" in done.stderr
