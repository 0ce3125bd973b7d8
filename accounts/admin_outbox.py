"""Admin views of what happens later: the mail outbox and the jobs, the dead ones put back."""

import json
from datetime import date
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.admin_pages import (
    PAGE_SIZE,
    Button,
    Cell,
    Page,
    Search,
    Table,
    admin_of,
    change,
    record_url,
    show,
)
from accounts.admin_site import register_records
from accounts.audit import Action
from filevault import jobs
from filevault.dynamo import Transaction, is_id, now
from filevault.errors import NotFound
from filevault.paging import open_cursor, read_page
from filevault.tables import Job, Mail

_MAIL_BADGES: Final = {
    "queued": "waiting",
    "sending": "waiting",
    "sent": "sent",
    "dead": "failed",
    "bounced": "failed",
    "complained": "failed",
    "cancelled": "closed",
}


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """The outbox of a day, or one mail by its id. Mails hold ids here, never what they say."""
    asked = request.GET.get("q", "").strip() or now().date().isoformat()
    page = Page(
        _("Mails"),
        note=_("Search by day (YYYY-MM-DD) or by a mail's exact id."),
        search=Search(_("Day or id"), asked),
        tables=[_one_mail(asked) if is_id(asked) else _day(asked, request.GET.get("cursor", ""))],
    )
    return show(request, page, target=f"mails:{asked[:40]}")


def _one_mail(mail_id: str) -> Table:
    mail = Mail.fetch(mail_id)
    return _mail_table([mail] if mail else [])


def _day(asked: str, cursor: str) -> Table:
    day = _day_of(asked)
    scope = f"admin:mails:{day}"
    listed = read_page(
        Mail.by_day.query(
            day,
            scan_index_forward=False,
            limit=PAGE_SIZE,
            last_evaluated_key=open_cursor(cursor, scope=scope),
        ),
        scope=scope,
    )
    rows = {row.mail_id: row for row in Mail.fetch_many(mail.mail_id for mail in listed.items)}
    found = [rows[mail.mail_id] for mail in listed.items if mail.mail_id in rows]
    return _mail_table(found, record_url("mails", q=day, cursor=listed.cursor), bool(listed.cursor))


def _day_of(asked: str) -> str:
    try:
        return date.fromisoformat(asked).isoformat()
    except ValueError:
        return now().date().isoformat()


def _mail_table(found: list[Mail], more_url: str = "", has_more: bool = False) -> Table:
    rows = [
        [
            Cell(mail.created_at),
            Cell(mail.mail_id),
            Cell(mail.template),
            Cell(mail.state, badge=_MAIL_BADGES.get(mail.state, "")),
            Cell(int(mail.tries)),
            Cell(mail.reason or ""),
            Cell(mail.sent_at),
        ]
        for mail in found
    ]
    columns = [_("Queued"), _("Id"), _("Kind"), _("State"), _("Tries"), _("Reason"), _("Sent")]
    return Table(_("Mails"), columns, rows, _("No mail."), more_url if has_more else "")


@require_safe
def due_jobs(request: HttpRequest) -> HttpResponse:
    """What falls due next, and what was given up."""
    cursor = request.GET.get("cursor", "")
    waiting = [job for shard in range(settings.JOB_SHARDS) for job in _first_jobs(str(shard))]
    waiting.sort(key=lambda job: job.due_key)
    columns = [_("Due"), _("Kind"), _("About"), _("Tries"), _("Last error")]
    given_up, more_url = _dead_jobs(cursor)
    page = Page(
        _("Jobs"),
        tables=[
            Table(
                _("Given up"),
                [*columns, _("Again")],
                [[*_job_cells(job), _revival(job)] for job in given_up],
                _("No job was given up."),
                more_url,
            ),
            Table(
                _("Next"),
                columns,
                [_job_cells(job) for job in waiting[:PAGE_SIZE]],
                _("Nothing is due."),
            ),
        ],
    )
    return show(request, page, target="jobs")


def _first_jobs(shard: str) -> list[Job]:
    return list(Job.query(shard, consistent_read=True, limit=PAGE_SIZE))


def _dead_jobs(cursor: str) -> tuple[list[Job], str]:
    scope = "admin:jobs:dead"
    rows = Job.query(
        jobs.DEAD_SHARD,
        consistent_read=True,
        limit=PAGE_SIZE,
        last_evaluated_key=open_cursor(cursor, scope=scope),
    )
    page = read_page(rows, scope=scope)
    return page.items, record_url("jobs", cursor=page.cursor) if page.cursor else ""


def _job_cells(job: Job) -> list[Cell | Button]:
    due = job.due_key.partition("#")[0]
    ids = {key: value for key, value in dict(job.payload).items() if key.endswith("Id")}
    return [
        Cell(due),
        Cell(job.kind),
        Cell(json.dumps(ids) if ids else ""),
        Cell(int(job.tries)),
        Cell(job.last_error or ""),
    ]


def _revival(job: Job) -> Button:
    return Button(_("Put back"), record_url("job_revive"), {"job": job.due_key})


def _jobs_url() -> str:
    return record_url("jobs")


@change(_jobs_url, gettext_lazy("The job is put back and runs at once."))
def revive(request: HttpRequest) -> None:
    """Put a job that was given up back among those that are due, with its tries forgotten."""
    actor = admin_of(request)
    job = Job.fetch(jobs.DEAD_SHARD, request.POST.get("job") or "-")
    if job is None:
        raise NotFound(_("This job isn't there any more; it may have been put back already."))
    tx = Transaction()
    tx.delete(job, condition=Job.due_key.exists())
    jobs.enqueue(tx, job.kind, dict(job.payload))
    audit.record(
        tx, audit.user_stream(actor.user_id), Action.ADMIN_REVIVE, actor, target=f"job:{job.kind}"
    )
    tx.commit()


register_records(gettext_lazy("Mails"), "mails", ("", "mails", mails), place=50)
register_records(
    gettext_lazy("Jobs"),
    "jobs",
    ("", "jobs", due_jobs),
    ("revive", "job_revive", revive),
    place=60,
)
