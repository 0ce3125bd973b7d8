"""Operations on files. Each finds the space, calls one rule, answers."""

from dataclasses import asdict
from typing import Any, Final, cast

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.params import HeaderEx, P, QueryEx
from ninja.responses import Status

from accounts.actors import Practitioner
from accounts.http import check_named
from files import deletion, downloads, parts, sharing, uploads
from files.access import space_of
from files.multipart import part_count
from files.presigned import PresignedPost
from files.records import list_files
from files.shared import list_shared
from files.spaces import Ability, Space, check_ability, get_space
from files.states import FileState
from files.tables import File
from files.vault import vault_of
from filevault.api import schemas
from filevault.api.idempotency import once
from filevault.api.presenting import file_out, files_out
from filevault.api.routers import Router
from filevault.api.schemas import ID_PATTERN, answers
from filevault.errors import Conflict, NotFound
from filevault.paging import Page, make_cursor, open_cursor

MOST_LISTED: Final = 100
PAGE_SIZE: Final = 50

Key = HeaderEx[str | None, P(alias="Idempotency-Key", min_length=1, max_length=255)]
FileId = QueryEx[str, P(alias="fileId", pattern=ID_PATTERN)]
CaseId = QueryEx[str | None, P(alias="caseId", pattern=ID_PATTERN)]
Cursor = QueryEx[str, P(alias="cursor", max_length=2000)]
Limit = QueryEx[int, P(alias="limit", ge=1, le=MOST_LISTED)]

router = Router(tag="files", exclude_unset=True)


@router.post("/presign-upload", response=answers(201, schemas.PresignOut))
def presign_upload(
    request: HttpRequest, body: schemas.PresignIn, idempotency_key: Key = None
) -> Any:
    """Begin an upload into a case, or into the vault without `caseId`."""
    actor = actor_of(request)

    def begin() -> dict[str, Any]:
        space = _space(actor, body.case_id)
        if body.request_id is not None:  # there is no document request that it could name
            raise NotFound
        file, post = uploads.begin(
            actor,
            space,
            file_name=body.file_name,
            size=body.size,
            mime_type=body.mime_type,
            sha256=body.sha256,
        )
        return _way(file, post)

    return Status(201, once(actor, "presign-upload", idempotency_key, body, begin))


@router.get("/uploads/{id:file_id}/parts", response=answers(200, schemas.PartsOut))
def list_parts(request: HttpRequest, file_id: str) -> Any:
    """What of an upload in parts has arrived."""
    actor = actor_of(request)
    _file, arrived = parts.get_parts(actor, space_of(actor, file_id), file_id)
    listed = [
        {"part_number": part.number, "size": part.size, "checksum": part.sha256} for part in arrived
    ]
    return {"parts": listed}


@router.post("/uploads/{id:file_id}/parts", response=answers(200, schemas.SignedPartsOut))
def sign_parts(request: HttpRequest, file_id: str, body: schemas.SignPartsIn) -> Any:
    """Sign up to 16 parts; each is sent by PUT with exactly the headers that come with it."""
    actor = actor_of(request)
    signed = parts.sign_parts(
        actor,
        space_of(actor, file_id),
        file_id,
        part_numbers=body.part_numbers,
        checksums=body.checksums,
    )
    return {"urls": {str(number): asdict(grant) for number, grant in signed.items()}}


@router.post("/metadata", response=answers(200, schemas.FileOut))
def metadata(request: HttpRequest, body: schemas.FileIn, idempotency_key: Key = None) -> Any:
    """Say that an upload has been sent, and get the file."""
    actor = actor_of(request)

    def confirm() -> dict[str, Any]:
        space = space_of(actor, body.file_id)
        return file_out(actor, space, uploads.confirm(actor, space, body.file_id))

    return once(actor, "metadata", idempotency_key, body, confirm)


@router.delete("/uploads/{id:file_id}", response=answers(204, None))
def abort_upload(request: HttpRequest, file_id: str) -> Any:
    """Give an upload up; what has arrived stays, and says so."""
    actor = actor_of(request)
    file = uploads.abort(actor, space_of(actor, file_id), file_id)
    if file.state in (FileState.AVAILABLE, FileState.CHECKING):
        raise Conflict(_("The file has arrived already. Delete it if it is to go."), code="arrived")
    return Status(204, None)


@router.get("/list", response=answers(200, schemas.ListOut))
def list_all(
    request: HttpRequest, case_id: CaseId = None, cursor: Cursor = "", limit: Limit = PAGE_SIZE
) -> Any:
    """Files, newest first: of a case, or of the vault together with what others share. Each list
    has up to `limit` files a page, and one cursor goes on with both."""
    actor = actor_of(request)
    space = _space(actor, case_id)
    check_ability(space, actor, Ability.READ)
    scope = f"api:{actor.user_id}:{space.space_id}"
    first = {"owned": "", "shared": "" if case_id is None else None}
    at = open_cursor(cursor, scope=scope) or first
    owned: Page[File] = Page([])
    if at["owned"] is not None:
        owned = list_files(space, cursor=at["owned"], limit=limit)
    shared: Page[File] = Page([])
    if at["shared"] is not None:
        shared = list_shared(actor, cursor=at["shared"], limit=limit)
    rest = {"owned": owned.cursor or None, "shared": shared.cursor or None}
    return {
        "owned": files_out(actor, space, owned.items),
        "shared": files_out(actor, None, shared.items),
        "next_cursor": make_cursor(rest, scope=scope) if any(rest.values()) else None,
    }


@router.get("/download", response=answers(200, schemas.DownloadOut))
def download(request: HttpRequest, file_id: FileId) -> Any:
    """Where the bytes can be fetched, for two minutes."""
    actor = actor_of(request)
    return asdict(downloads.get_download(actor, space_of(actor, file_id), file_id))


@router.post("/share", response=answers(200, schemas.ShareOut))
def share(request: HttpRequest, body: schemas.ShareIn) -> Any:
    """Let somebody read a file of one's vault. The answer is the same whoever has an account."""
    actor = actor_of(request)
    check_named(actor)
    space = space_of(actor, body.file_id)
    sharing.share(actor, space, body.file_id, email=body.email, user_id=body.user_id)
    return {"file_id": body.file_id}


@router.delete("/share", response=answers(200, schemas.ShareOut))
def unshare(request: HttpRequest, body: schemas.ShareIn) -> Any:
    """Take a share back."""
    actor = actor_of(request)
    space = space_of(actor, body.file_id)
    sharing.unshare(actor, space, body.file_id, email=body.email, user_id=body.user_id)
    return {"file_id": body.file_id}


@router.delete("/delete", response=answers(204, None))
def delete(request: HttpRequest, file_id: FileId) -> Any:
    """Take a file away for good."""
    actor = actor_of(request)
    deletion.delete(actor, space_of(actor, file_id), file_id)
    return Status(204, None)


def actor_of(request: HttpRequest) -> Practitioner:
    """Whom `filevault.api.auth` has found behind the request."""
    return cast(Practitioner, request.auth)  # type: ignore[attr-defined]


def _space(actor: Practitioner, case_id: str | None) -> Space:
    return vault_of(actor) if case_id is None else get_space(actor, f"case:{case_id}")


def _way(file: File, post: PresignedPost | None) -> dict[str, Any]:
    """How the bytes are to be sent: by one POST, or in parts."""
    if post is not None:
        return {"file_id": file.file_id, "method": "POST", **asdict(post)}
    return {
        "file_id": file.file_id,
        "method": "MULTIPART",
        "upload_id": file.upload_id,
        "part_size": int(file.part_size),
        "part_count": part_count(int(file.size), int(file.part_size)),
    }
