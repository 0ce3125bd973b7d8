"""Storage: the bucket's settings, a file's way in and out, and the services beside it."""

from files.doctor import bucket, services, transfers  # noqa: F401  register their parts
