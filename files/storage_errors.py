"""What storage's errors are to the rest of the product: translated here, and nowhere else."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from filevault.aws import AWS_ERRORS, error_code
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)


@contextmanager
def translated(call: str) -> Iterator[None]:
    """Turn the SDK's errors into `Unavailable`, logged under the call's name."""
    try:
        yield
    except AWS_ERRORS as error:
        raise unavailable(call, error) from error


def unavailable(call: str, error: Exception) -> Unavailable:
    """What a failed call is to the rest of the product, logged."""
    code = error_code(error) or type(error).__name__
    logger.error("storage call failed", extra={"call": call, "error": code})
    return Unavailable(code="storage_unavailable")
