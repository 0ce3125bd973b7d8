"""Admin views of file records: a space's, or one by its id. A file's content only for a reason."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.admin_pages import (
    PAGE_SIZE,
    Ask,
    Cell,
    Page,
    Search,
    Table,
    admin_of,
    audit_link,
    error_of,
    record_url,
    show,
)
from accounts.admin_site import register_records
from files.admin_reads import REASON_LEAST, REASON_MOST, find, open_for_admin
from files.guards import redirect_to_storage
from files.states import FileState, reason_label, scan_label, state_label
from files.tables import File
from filevault.dynamo import is_id
from filevault.errors import Invalid, NotFound
from filevault.paging import Page as Listed
from filevault.paging import open_cursor, read_page

_BADGES: Final[dict[str, str]] = {
    FileState.PENDING: "pending",
    FileState.CHECKING: "checking",
    FileState.AVAILABLE: "available",
    FileState.REJECTED: "rejected",
    FileState.EXPIRED: "expired",
    FileState.ABORTED: "closed",
    FileState.DELETED: "deleted",
}


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """One file by its exact id."""
    asked = request.GET.get("q", "").strip()
    page = Page(
        _("Files"),
        note=_("Search by a file's exact id. A case's files are listed from the case's page."),
        search=Search(_("Id"), asked),
        tables=[_table(_by_id(asked), with_space=True)] if asked else [],
    )
    return show(request, page, target=f"file:{asked}" if is_id(asked) else "files")


def _by_id(file_id: str) -> list[File]:
    try:
        return [find(file_id)]
    except NotFound:
        return []


@require_safe
def detail(request: HttpRequest, file_id: str) -> HttpResponse:
    """A file as it is recorded, and the form by which its content is opened."""
    return _detail(request, find(file_id))


@require_POST
def open_file(request: HttpRequest, file_id: str) -> HttpResponse:
    """To the file's content, for a reason that its owner reads (Z10)."""
    reason = request.POST.get("reason", "")
    try:
        url = open_for_admin(admin_of(request), file_id, reason=reason)
    except Invalid as refusal:
        error = error_of(refusal, "reason")
        return _detail(request, find(file_id), reason=reason, error=error)
    return redirect_to_storage(url)


def _detail(request: HttpRequest, file: File, *, reason: str = "", error: str = "") -> HttpResponse:
    page = Page(
        file.file_name or _("(name deleted)"),
        parents=[(_("Files"), record_url("files_of", file.space_id))],
        links=[audit_link(file.space_id)],
        facts=list(zip(_columns(), _cells(file), strict=True)),
        ask=_ask(file, reason, error) if file.state == FileState.AVAILABLE else None,
    )
    target = f"file:{file.file_id}"
    return show(request, page, target=target, status=422 if error else 200)


def _ask(file: File, reason: str, error: str) -> Ask:
    return Ask(
        title=_("Open this file"),
        field="reason",
        label=_("Why do you have to see what is in it?"),
        note=_(
            "The practitioner gets an e-mail, and reads this reason beside the file. It stays in "
            "the audit trail for good, so please leave out names."
        ),
        button=_("Open the file"),
        url=record_url("file_open", file.file_id),
        least=REASON_LEAST,
        most=REASON_MOST,
        value=reason,
        error=error,
    )


@require_safe
def of_space(request: HttpRequest, space_id: str) -> HttpResponse:
    """Every file row of a space, what is gone included, newest first."""
    kind, _colon, key = space_id.partition(":")
    if kind not in {"case", "user"} or not is_id(key):
        raise NotFound
    listed = _list(space_id, request.GET.get("cursor", ""))
    more_url = record_url("files_of", space_id, cursor=listed.cursor) if listed.cursor else ""
    owner = _("Case") if kind == "case" else _("User")
    page = Page(
        _("Files of a case") if kind == "case" else _("Files of a user"),
        parents=[(owner, record_url(kind, key))],
        links=[audit_link(space_id)],
        tables=[_table(listed.items, more_url=more_url)],
    )
    return show(request, page, target=f"files-of:{space_id}")


def _list(space_id: str, cursor: str) -> Listed[File]:
    scope = f"admin:files:{space_id}"
    rows = File.query(
        space_id,
        scan_index_forward=False,
        consistent_read=True,
        limit=PAGE_SIZE,
        last_evaluated_key=open_cursor(cursor, scope=scope),
    )
    return read_page(rows, scope=scope)


def _table(files: list[File], *, with_space: bool = False, more_url: str = "") -> Table:
    columns = _columns()
    rows = [_cells(file) for file in files]
    if with_space:
        columns.append(_("Where"))
        for row, file in zip(rows, files, strict=True):
            row.append(Cell(file.space_id, record_url("files_of", file.space_id)))
    return Table(_("Files"), columns, rows, _("No files."), more_url)


def _columns() -> list[str]:
    return [
        _("Name"),
        _("Id"),
        _("State"),
        _("Reason"),
        _("Size"),
        _("Type"),
        _("Virus scan"),
        "SHA-256",
        _("By"),
        _("Begun"),
    ]


def _cells(file: File) -> list[Cell]:
    return [
        Cell(file.file_name or _("(name deleted)"), record_url("file", file.file_id)),
        Cell(file.file_id),
        Cell(state_label(file.state), badge=_BADGES.get(file.state, "")),
        Cell(reason_label(file.reason)),
        Cell(int(file.size)),
        Cell(file.mime_type),
        Cell(scan_label(file.scan_verdict)),
        Cell(file.sha256),
        Cell(file.uploaded_by),
        Cell(file.created_at),
    ]


register_records(
    gettext_lazy("Files"),
    "files",
    ("", "files", search),
    ("of/<str:space_id>/", "files_of", of_space),
    ("<id:file_id>/", "file", detail),
    ("<id:file_id>/open", "file_open", open_file),
    place=30,
)
