"""Admin views of file records: a space's, or one by its id. Never a file's content."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.admin_pages import PAGE_SIZE, Cell, Page, Search, Table, audit_link, record_url, show
from accounts.admin_site import register_records
from files.states import FileState, reason_label, scan_label, state_label
from files.tables import File, FileRef
from filevault.dynamo import is_id
from filevault.errors import NotFound
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
    ref = FileRef.fetch(file_id) if is_id(file_id) else None
    file = File.fetch(ref.space_id, file_id) if ref else None
    return [file] if file else []


@require_safe
def of_space(request: HttpRequest, space_id: str) -> HttpResponse:
    """Every file row of a space, what is gone included, newest first."""
    kind, _colon, key = space_id.partition(":")
    if kind not in {"case", "user"} or not is_id(key):
        raise NotFound
    scope = f"admin:files:{space_id}"
    listed = read_page(
        File.query(
            space_id,
            scan_index_forward=False,
            consistent_read=True,
            limit=PAGE_SIZE,
            last_evaluated_key=open_cursor(request.GET.get("cursor", ""), scope=scope),
        ),
        scope=scope,
    )
    more_url = record_url("files_of", space_id, cursor=listed.cursor) if listed.cursor else ""
    owner = _("Case") if kind == "case" else _("User")
    page = Page(
        _("Files of a case") if kind == "case" else _("Files of a user"),
        parents=[(owner, record_url(kind, key))],
        links=[audit_link(space_id)],
        tables=[_table(listed.items, more_url=more_url)],
    )
    return show(request, page, target=f"files-of:{space_id}")


def _table(files: list[File], *, with_space: bool = False, more_url: str = "") -> Table:
    columns = [
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
    rows = [
        [
            Cell(file.file_name or _("(name deleted)")),
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
        for file in files
    ]
    if with_space:
        columns.append(_("Where"))
        for row, file in zip(rows, files, strict=True):
            row.append(Cell(file.space_id, record_url("files_of", file.space_id)))
    return Table(_("Files"), columns, rows, _("No files."), more_url)


register_records(
    gettext_lazy("Files"),
    "files",
    ("", "files", search),
    ("of/<str:space_id>/", "files_of", of_space),
    place=30,
)
