"""The admin's view of the audit trail: one stream, newest first."""

import json

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.admin_pages import PAGE_SIZE, Cell, Page, Search, Table, record_url, show
from accounts.admin_site import register_records
from accounts.tables import AuditEvent, StreamHead
from filevault.paging import open_cursor, read_page


@require_safe
def stream(request: HttpRequest) -> HttpResponse:
    stream_id = request.GET.get("stream", "").strip()
    head = StreamHead.fetch(stream_id) if stream_id else None
    page = Page(
        _("Audit trail"),
        note=_(
            "A stream is case:<id>, user:<id>, or day:<date>#<0 to 3> for denials and what nobody "
            "signed in did."
        ),
        search=Search(_("Stream"), stream_id, parameter="stream"),
        facts=_seal(head),
        tables=[_events(stream_id, request.GET.get("cursor", ""))] if stream_id else [],
    )
    return show(request, page, target=f"audit:{stream_id[:100]}")


def _seal(head: StreamHead | None) -> list[tuple[str, Cell]]:
    if head is None:
        return []
    return [
        (_("Sealed events"), Cell(int(head.sequence))),
        (_("Sealed at"), Cell(head.sealed_at)),
        (_("Hash"), Cell(head.hash)),
    ]


def _events(stream_id: str, cursor: str) -> Table:
    scope = f"admin:audit:{stream_id}"
    page = read_page(
        AuditEvent.query(
            stream_id,
            scan_index_forward=False,
            consistent_read=True,
            limit=PAGE_SIZE,
            last_evaluated_key=open_cursor(cursor, scope=scope),
        ),
        scope=scope,
    )
    columns = [_("When"), _("What"), _("Who"), _("About"), _("Address"), _("Details"), _("Place")]
    more_url = record_url("audit", stream=stream_id, cursor=page.cursor) if page.cursor else ""
    rows = [_row(event) for event in page.items]
    return Table(_("Events"), columns, rows, _("Nothing was recorded there."), more_url)


def _row(event: AuditEvent) -> list[Cell]:
    place = "" if event.sequence is None else int(event.sequence)
    return [
        Cell(event.at),
        Cell(event.action),
        Cell(event.actor),
        Cell(event.target),
        Cell(event.address),
        Cell(json.dumps(event.details) if event.details else ""),
        Cell(place or _("not sealed yet"), badge="" if place else "waiting"),
    ]


register_records(gettext_lazy("Audit trail"), "audit", ("", "audit", stream), place=40)
