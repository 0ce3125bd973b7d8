"""Addresses that CloudFront serves: signed as it verifies them, and of one version alone."""

import base64
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import LazySettings

from files import downloads, viewing
from files.storage import case_storage
from files.tables import File
from tests.files import samples
from tests.files.space import C1, FakeSpace, row
from tests.files.test_downloads import available
from tests.filevault.test_configuration import PRODUCTION, ROOT, check

DOMAIN = "downloads.example.test"
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NEXT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
#: What CloudFront adds; the policy is over the rest.
ADDED = ("Expires", "Signature", "Key-Pair-Id")


def pem(key: RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def use(settings: LazySettings, *keys: tuple[str, RSAPrivateKey]) -> None:
    """Configure CloudFront with these keys."""
    settings.CLOUDFRONT_DOMAIN = DOMAIN
    settings.CLOUDFRONT_KEYS = [(key_id, pem(key)) for key_id, key in keys]
    settings.STORAGES = {**settings.STORAGES}  # makes the storage anew


@pytest.fixture
def cloudfront(settings: LazySettings) -> None:
    use(settings, ("K1", KEY), ("K2", NEXT_KEY))


def verify(url: str, key_group: dict[str, RSAPrivateKey]) -> int:
    """What CloudFront does with a canned policy: build it from the address without its own
    parameters, and verify. Returns the moment in seconds after which it refuses. Raises
    `InvalidSignature`, and KeyError for a key that isn't in the group."""
    added = {name: parse_qs(urlsplit(url).query)[name][0] for name in ADDED}
    resource = re.sub(rf"[?&](?:{'|'.join(ADDED)})=[^&]*", "", url)
    policy = (
        f'{{"Statement":[{{"Resource":"{resource}",'
        f'"Condition":{{"DateLessThan":{{"AWS:EpochTime":{added["Expires"]}}}}}}}]}}'
    )
    json.loads(policy)
    plain = added["Signature"].translate(str.maketrans("-_~", "+=/"))
    key = key_group[added["Key-Pair-Id"]].public_key()
    key.verify(base64.b64decode(plain), policy.encode(), padding.PKCS1v15(), hashes.SHA1())
    return int(added["Expires"])


def sign(name: str = "attachment; filename*=UTF-8''M%C3%BCller%20%26%20Co.pdf") -> str:
    return case_storage().presign_download(
        "cases/one/f.0123", "v.1+2/3", disposition=name, mime_type="application/pdf"
    )


@pytest.mark.usefixtures("cloudfront")
def test_one_version_under_one_name_for_two_minutes_U8() -> None:
    with time_machine.travel(NOW, tick=False):
        url = sign()
    assert url.startswith(f"https://{DOMAIN}/cases/one/f.0123?versionId=")
    assert verify(url, {"K1": KEY}) == int(NOW.timestamp()) + 120
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert {name: query[name] for name in query.keys() - set(ADDED)} == {
        "versionId": ["v.1+2/3"],
        "response-content-disposition": ["attachment; filename*=UTF-8''M%C3%BCller%20%26%20Co.pdf"],
        "response-content-type": ["application/pdf"],
        "response-cache-control": ["no-store"],
    }
    assert "+" not in url  # CloudFront hands it on as it is, where S3 takes no plus for a blank


@pytest.mark.usefixtures("cloudfront")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("versionId=v.1", "versionId=v.2"),
        ("attachment", "inline"),
        ("application%2Fpdf", "text%2Fhtml"),
        ("f.0123", "f.0124"),
        ("&response-cache-control=no-store", ""),
        (DOMAIN, "other.example.test"),
    ],
)
def test_nothing_of_it_can_be_changed(old: str, new: str) -> None:
    url = sign()
    assert old in url
    with pytest.raises(InvalidSignature):
        verify(url.replace(old, new, 1), {"K1": KEY})


@pytest.mark.usefixtures("cloudfront")
def test_another_end_or_another_key_is_refused() -> None:
    url = sign()
    expires = parse_qs(urlsplit(url).query)["Expires"][0]
    with pytest.raises(InvalidSignature):
        verify(url.replace(expires, str(int(expires) + 60)), {"K1": KEY})
    with pytest.raises(InvalidSignature):
        verify(url, {"K1": NEXT_KEY})


def test_rotation_is_another_order_of_the_keys(settings: LazySettings) -> None:
    group = {"K1": KEY, "K2": NEXT_KEY}  # CloudFront trusts both
    use(settings, ("K1", KEY), ("K2", NEXT_KEY))
    before = sign()
    use(settings, ("K2", NEXT_KEY), ("K1", KEY))
    after = sign()
    assert ("Key-Pair-Id=K1" in before, "Key-Pair-Id=K2" in after) == (True, True)
    assert verify(before, group)
    assert verify(after, group)


def _with_pictures(space: FakeSpace) -> File:
    file = available(space)
    file.try_update(
        [File.thumb_version_id.set("t1"), File.preview_version_id.set("p1")],
        condition=File.file_id.exists(),
    )
    return row(file)


@pytest.mark.usefixtures("cloudfront")
def test_downloads_previews_and_thumbnails_come_from_there(space: FakeSpace) -> None:
    file = _with_pictures(space)
    view = viewing.get_view(C1, space, file.file_id)
    urls = {
        f"/{file.s3_key}": downloads.get_download(C1, space, file.file_id).url,
        f"/{file.s3_key}.preview": view.picture_url,
        f"/{file.s3_key}.thumb": viewing.sign_thumbnails(C1, space, [file])[file.file_id],
    }
    for path, url in urls.items():
        parts = urlsplit(url)
        assert (parts.netloc, parts.path) == (DOMAIN, path)
        assert verify(url, {"K1": KEY})
    assert urlsplit(view.document_url).netloc == DOMAIN
    assert f"versionId={file.version_id}&" in urls[f"/{file.s3_key}"]


@pytest.mark.usefixtures("cloudfront")
def test_uploads_stay_with_storage(space: FakeSpace) -> None:
    post = case_storage().presign_post("cases/one/f.0123", len(samples.PDF), "application/pdf")
    assert ".amazonaws.com" in post.url


def test_without_it_storage_signs_as_before() -> None:
    url = sign()
    assert ".amazonaws.com/cases/one/f.0123?" in url
    assert "X-Amz-Signature=" in url
    assert "Key-Pair-Id" not in url


def keys_text(*pairs: tuple[str, str]) -> str:
    return ",".join(f"{key_id}:{text}" for key_id, text in pairs)


ESCAPED = pem(KEY).replace("\n", "\\n")


@pytest.mark.parametrize("text", [pem(KEY), ESCAPED])
def test_pages_may_show_what_comes_from_there(text: str) -> None:
    policy = "django.conf.settings.CONTENT_SECURITY_POLICY['DIRECTIVES']"
    code = f"import django.conf, json; print(json.dumps({policy}, default=str))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **PRODUCTION,
            "DJANGO_SETTINGS_MODULE": "filevault.settings",
            "CLOUDFRONT_DOMAIN": DOMAIN,
            "CLOUDFRONT_KEYS": keys_text(("K1", text), ("K2", pem(NEXT_KEY))),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    directives = json.loads(done.stdout)
    allowing = {name for name, sources in directives.items() if f"https://{DOMAIN}" in sources}
    assert allowing == {"connect-src", "img-src", "frame-src", "form-action"}


def test_keys_may_be_there_before_the_distribution_is_used() -> None:
    assert check(CLOUDFRONT_DOMAIN="", CLOUDFRONT_KEYS=keys_text(("K1", ESCAPED))).returncode == 0


@pytest.mark.parametrize(
    ("domain", "keys", "named"),
    [
        ("https://downloads.example.test", keys_text(("K1", ESCAPED)), "CLOUDFRONT_DOMAIN"),
        ("downloads", keys_text(("K1", ESCAPED)), "CLOUDFRONT_DOMAIN"),
        (DOMAIN, "", "CLOUDFRONT_KEYS"),
        (DOMAIN, ESCAPED, "CLOUDFRONT_KEYS"),
        (DOMAIN, keys_text(("K1", ESCAPED[:-40])), "CLOUDFRONT_KEYS"),
        (DOMAIN, keys_text(("K1", ESCAPED), ("K 2", ESCAPED)), "CLOUDFRONT_KEYS"),
        (
            DOMAIN,
            keys_text(("K1", pem(rsa.generate_private_key(65537, 1024)))),
            "CLOUDFRONT_KEYS",
        ),
        (
            DOMAIN,
            keys_text(("K1", pem(ec.generate_private_key(ec.SECP256R1())))),
            "CLOUDFRONT_KEYS",
        ),
    ],
)
def test_a_bad_setting_is_one_clear_line(domain: str, keys: str, named: str) -> None:
    done = check(CLOUDFRONT_DOMAIN=domain, CLOUDFRONT_KEYS=keys)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Filevault can't start: ")
    assert named in done.stderr
    assert "PRIVATE KEY" not in done.stderr
