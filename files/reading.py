"""Reading a stored version whole, in pieces: by the worker that checks it, and for archives."""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Final

from files.storage import case_storage
from filevault.errors import Unavailable

logger = logging.getLogger(__name__)

#: Reads in a row that bring nothing before it is given up, and the first pause in seconds, which
#: doubles each time.
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.5


def read_whole(
    key: str, version_id: str, size: int, *, waiting: Callable[[], object] = lambda: None
) -> Generator[bytes, None, None]:
    """The bytes of a version that has `size` of them. A read that breaks off is gone on with where
    it was, after calling `waiting`. Raises `Unavailable`, also where there is no such version."""
    done = failures = 0
    while done < size:
        try:
            with closing(case_storage().stream(key, version_id, start=done)) as pieces:
                for piece in pieces:
                    done, failures = done + len(piece), 0
                    yield piece
            if done < size:
                raise Unavailable(code="storage_unavailable")
        except Unavailable:
            failures += 1
            if failures == TRIES:
                raise
            logger.info("read broke", extra={"at": done})
            time.sleep(PAUSE_SECONDS * 2 ** (failures - 1))
            waiting()
