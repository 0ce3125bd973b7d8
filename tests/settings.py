"""The product's settings under a fixed environment, so that no test depends on the shell's."""

import os

os.environ |= {
    "FILEVAULT_LOCAL": "1",
    "SECRET_KEY": "a-test-key-that-signs-nothing-of-value-0123456789a",
    "SITE_URL": "http://testserver",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "FILEVAULT_BUCKET": "filevault-test",
    "TABLE_PREFIX": "filevault-",
    "OIDC_ISSUER": "https://login.example.test/pool",
    "OIDC_CLIENT_ID": "filevault-web",
    "OIDC_CLIENT_SECRET": "a-client-secret",
    "DATABASE_URL": "sqlite://:memory:",
    "DEFAULT_FROM_EMAIL": "no-reply@filevault.example.test",
    "INVITATION_SIGNING_KEYS": "k1:0123456789abcdef0123456789abcdef",
    "SIGNING_KEYS": "s1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "MAX_UPLOAD_SIZE": "200000000",
    "LOG_LEVEL": "WARNING",
    # Several, as in production; an idle worker asks each of them all the time.
    "JOB_SHARDS": "2",
}
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")

from filevault.settings import *  # noqa: F403

STORAGES = {  # a test page needs no collected static files
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
