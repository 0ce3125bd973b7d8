"""Uploads in parts, as tests send them."""

import base64
import hashlib
import os

from accounts.actors import Actor
from files import multipart, parts, uploads
from files.spaces import Space
from files.tables import File

MIB = 1024 * 1024
PART_SIZE = 5 * MIB
#: Three parts: two whole ones, and a rest.
CONTENT = b"%PDF-1.7\n" + os.urandom(2 * PART_SIZE + 1234 - 9)


def begin_parts(actor: Actor, space: Space, content: bytes = CONTENT) -> File:
    """Begin an upload that goes in parts."""
    file, post = uploads.begin(actor, space, file_name="scan.pdf", size=len(content))
    assert post is None
    return file


def piece(number: int, content: bytes = CONTENT) -> bytes:
    """The bytes of a part."""
    return content[(number - 1) * PART_SIZE : number * PART_SIZE]


def digest(content: bytes) -> str:
    """A SHA-256 as S3 writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def sign(
    actor: Actor, space: Space, file: File, *numbers: int, content: bytes = CONTENT
) -> dict[int, multipart.PartGrant]:
    """URLs for parts of a content."""
    checksums = {str(number): digest(piece(number, content)) for number in numbers}
    return parts.sign_parts(
        actor, space, file.file_id, part_numbers=list(numbers), checksums=checksums
    )
