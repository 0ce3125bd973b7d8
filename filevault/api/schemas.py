"""What the JSON API takes and answers: camelCase outside, snake_case here. A field that isn't named
is refused, and so is a number that is written as a text."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from pydantic.alias_generators import to_camel

ID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Id = Annotated[str, Field(pattern=ID_PATTERN)]


class Taken(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Answered(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class LoginIn(Taken):
    next: str = Field(default="", max_length=2000)


class LoginOut(Answered):
    authorization_url: str


class LogoutOut(Answered):
    logout_url: str


class PresignIn(Taken):
    """`mimeType` is a hint and may be empty: the ending of the name decides. `sha256` in hex."""

    file_name: str = Field(max_length=1024)
    mime_type: str = Field(max_length=255)
    size: StrictInt
    case_id: Id | None = None
    request_id: Id | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")


class PostOut(Answered):
    """The file goes in one POST: every field of `fields`, then `file`."""

    file_id: str
    method: Literal["POST"]
    url: str
    fields: dict[str, str]
    expires_in: int


class MultipartOut(Answered):
    """The file goes in parts of `partSize` bytes, the last one smaller."""

    file_id: str
    method: Literal["MULTIPART"]
    upload_id: str
    part_size: int
    part_count: int


PresignOut = PostOut | MultipartOut


class PartOut(Answered):
    part_number: int
    size: int
    checksum: str


class PartsOut(Answered):
    parts: list[PartOut]


class SignPartsIn(Taken):
    """`checksums` are SHA-256 in base64, by part number."""

    part_numbers: list[StrictInt] = Field(max_length=100)
    checksums: dict[str, str] = Field(max_length=100)


class SignedPartOut(Answered):
    url: str
    headers: dict[str, str]


class SignedPartsOut(Answered):
    urls: dict[str, SignedPartOut]


class FileIn(Taken):
    file_id: Id


class FileOut(Answered):
    """`userId` is the owner of the space, `s3Key` is told to that owner alone. `sharedWith` holds
    addresses and user ids as they were typed, so that it tells nobody who has an account."""

    file_id: str
    user_id: str
    uploaded_by: str
    file_name: str
    s3_key: str | None = Field(default=None, alias="s3Key")
    size: int
    mime_type: str
    sha256: str | None
    created_at: datetime
    shared_with: list[str]
    is_read_only: bool
    state: str
    case_id: str | None
    actions: list[str]


class ListOut(Answered):
    owned: list[FileOut]
    shared: list[FileOut]
    next_cursor: str | None


class DownloadOut(Answered):
    url: str
    expires_in: int


class ShareIn(Taken):
    """Whom to share with: an address, or a user."""

    file_id: Id
    user_id: Id | None = None
    email: str | None = Field(default=None, max_length=254)


class ShareOut(Answered):
    file_id: str


class ErrorOut(Answered):
    """`code` is for programs, `message` for people, `fields` names what is wrong by field."""

    code: str
    message: str
    fields: dict[str, str] | None = None


def answers(status: int, model: Any) -> dict[int, Any]:
    """The responses of an operation: its own, every refusal that any of them can give, and those
    by which the web server refuses addresses and headers that are too long, in its own words."""
    refusals = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
    return {status: model, **dict.fromkeys(refusals, ErrorOut), 414: None, 431: None}
