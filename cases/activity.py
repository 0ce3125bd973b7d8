"""What happened in a case, for the two sides of it: the audit trail in plain words.

The trail holds ids alone. Names are those of now: of people who have gone it says what they were,
of files that are deleted that they were. A client sees what became of the files, and of the other
clients no more than that they are there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts.actors import WORKER, Actor, CaseClient
from accounts.audit import Action
from accounts.audit_words import Kind, actions_of, sentence
from accounts.tables import AuditEvent, User
from cases.space import CaseSpace
from cases.tables import Case, Seen
from files.states import reason_label
from files.tables import File
from filevault.dynamo import is_id, readable
from filevault.paging import Page, make_cursor, open_cursor

PAGE_SIZE: Final = 50
#: Events that one request of DynamoDB goes through where only some of them are wanted.
_READ_AT_ONCE: Final = 500
#: What a client may know of: what became of the files, and of the case as a whole.
_CLIENT_SEES: Final = frozenset(
    {
        *actions_of({Kind.ARRIVAL, Kind.READING, Kind.CHANGE}),
        *(Action.CASE_CREATE, Action.CASE_CLOSE, Action.CASE_REOPEN),
    }
)
#: What happens to a file is its sender's doing, also where the worker was the one to notice.
_SENDING: Final = frozenset(actions_of({Kind.ARRIVAL}))
#: What a practitioner can choose by.
KINDS: Final = (Kind.ARRIVAL, Kind.READING, Kind.CHANGE, Kind.ACCESS, Kind.CASE, Kind.ROUTINE)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to show: one kind (none: all but routine), and of one person (an actor id; none:
    everybody). Kinds and people that there aren't are passed over."""

    kind: str = ""
    person: str = ""

    def actions(self) -> list[str]:
        """The actions of the chosen kind."""
        if self.kind in set(KINDS):
            return actions_of({Kind(self.kind)})
        return actions_of(set(Kind) - {Kind.ROUTINE})


EVERYTHING: Final = Choice()


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in words. `doer` is whose doing it is, `times` how often in a row it happened,
    the last time `at`."""

    event: AuditEvent
    at: datetime
    doer: str
    who: str
    what: str
    file_name: str
    times: int = 1


@dataclass(slots=True)
class Narrator:
    """Tells events to one side of a case. Names are looked up once."""

    actor: Actor
    case: Case
    _names: dict[str, str] = field(default_factory=dict)

    def tell(self, events: Sequence[AuditEvent]) -> list[Entry]:
        """The events in words, in their order."""
        files = self._files_of(events)
        doers = {event.event_id: _doer(event, files.get(event.target)) for event in events}
        self._learn({*doers.values(), *map(_person_in, events)})
        return [self._entry(event, doers[event.event_id], files) for event in events]

    def names_of(self, actor_ids: Iterable[str]) -> dict[str, str]:
        """People's names, as this side may know them, in the order given and each once."""
        wanted = list(dict.fromkeys(actor_ids))
        self._learn(wanted)
        return {each: self._names[each] for each in wanted}

    def _entry(self, event: AuditEvent, doer: str, files: dict[str, File]) -> Entry:
        file = files.get(event.target)
        name = file.file_name if file is not None else ""
        names = {
            "file": _file_words(event, name),
            "person": self._names.get(_person_in(event), ""),
            "count": event.details.get("count", ""),
            "reason": self._reason(event),
        }
        what = sentence(event.action, names)
        return Entry(event, event.at, doer, self._who(event, doer), what, name)

    def _who(self, event: AuditEvent, doer: str) -> str:
        """Whose doing it was. To clients an admin is not one of the people on the case."""
        by_admin = event.action == Action.FILE_ADMIN_OPEN and doer != f"user:{self.case.user_id}"
        is_told_less = by_admin and isinstance(self.actor, CaseClient)
        return _("An administrator") if is_told_less else self._names[doer]

    def _reason(self, event: AuditEvent) -> str:
        """Why something was done: a code's words, or an admin's own (Z10), which clients don't
        read."""
        reason = event.details.get("reason")
        if event.action != Action.FILE_ADMIN_OPEN:
            return reason_label(reason)
        hidden = isinstance(self.actor, CaseClient)
        return "" if hidden else _("Reason: “%(reason)s”") % {"reason": reason}

    def _files_of(self, events: Iterable[AuditEvent]) -> dict[str, File]:
        space_id = f"case:{self.case.case_id}"
        targets = {event.target for event in events if event.action.startswith(("upload", "file"))}
        found = File.fetch_many((space_id, target) for target in targets if is_id(target))
        return {file.file_id: file for file in found}

    def _learn(self, actor_ids: Iterable[str]) -> None:
        unknown = [each for each in actor_ids if each and each not in self._names]
        if not unknown:
            return
        look_up = self._as_client if isinstance(self.actor, CaseClient) else self._as_practitioner
        self._names |= look_up(unknown)

    def _as_practitioner(self, actor_ids: Sequence[str]) -> dict[str, str]:
        known = CaseSpace(self.case).names_of(
            [each for each in actor_ids if each.startswith(("user:", "client:"))]
        )
        nameless = _("Somebody who has not given a name yet")
        return {each: self._alike(each) or known.get(each) or nameless for each in actor_ids}

    def _as_client(self, actor_ids: Sequence[str]) -> dict[str, str]:
        owner = User.fetch(self.case.user_id)
        theirs = owner.display_name if owner is not None else ""
        return {
            each: self._alike(each)
            or (theirs if each == f"user:{self.case.user_id}" else "")
            or _("Another person on this case")
            for each in actor_ids
        }

    def _alike(self, actor_id: str) -> str:
        """What both sides read."""
        if actor_id == self.actor.actor_id:
            return _("You")
        if actor_id.startswith("system:"):
            return "Filevault"
        return _("Somebody unknown") if actor_id == "anonymous" else ""


def list_activity(
    actor: Actor, case: Case, choice: Choice = EVERYTHING, *, cursor: str = ""
) -> Page[Entry]:
    """A page of what happened, newest first. The case was guarded by who loads it. Raises
    `BadCursor`."""
    stream_id = f"case:{case.case_id}"
    scope = f"activity:{stream_id}:{actor.actor_id}:{choice.kind}:{choice.person}"
    narrator, key = Narrator(actor, case), open_cursor(cursor, scope=scope)
    while True:
        rows = AuditEvent.query(
            stream_id,
            filter_condition=_wanted(actor, choice),
            scan_index_forward=False,
            consistent_read=True,
            limit=PAGE_SIZE,
            page_size=_READ_AT_ONCE,
            last_evaluated_key=key,
        )
        events = list(readable(rows))
        key = rows.last_evaluated_key
        entries = _by(choice.person, narrator, events)
        if entries or not key:
            break
    return Page(_joined(entries), make_cursor(key, scope=scope) if key else "")


def people_of(actor: Actor, case: Case) -> list[tuple[str, str]]:
    """Whom the activity can be chosen by: actor id and name. Of colleagues those who have looked at
    the case: that somebody has an account is told by nothing else."""
    seen = Seen.fetch_many((user_id, case.case_id) for user_id in case.members)
    users = (f"user:{user_id}" for user_id in (case.user_id, *(row.user_id for row in seen)))
    clients = (f"client:{client_id}" for client_id in case.client_ids)
    ids = [actor.actor_id, *users, *clients, WORKER.actor_id]
    return list(Narrator(actor, case).names_of(ids).items())


def _wanted(actor: Actor, choice: Choice) -> Any:
    if isinstance(actor, CaseClient):
        return AuditEvent.action.is_in(*sorted(_CLIENT_SEES))
    condition = AuditEvent.action.is_in(*choice.actions())
    if choice.person:
        condition &= (AuditEvent.actor == choice.person) | AuditEvent.action.is_in(*_SENDING)
    return condition


def _by(person: str, narrator: Narrator, events: Sequence[AuditEvent]) -> list[Entry]:
    entries = narrator.tell(events)
    return [entry for entry in entries if entry.doer == person] if person else entries


def _joined(entries: Iterable[Entry]) -> list[Entry]:
    """The same done several times in a row becomes one entry, at the time of the last."""
    joined: list[Entry] = []
    for entry in entries:
        last = joined[-1] if joined else None
        if last and _same(last) == _same(entry):
            joined[-1] = replace(last, times=last.times + 1)
        else:
            joined.append(entry)
    return joined


def _same(entry: Entry) -> tuple[str, str, str]:
    return entry.event.action, entry.doer, entry.event.target


def _file_words(event: AuditEvent, name: str) -> str:
    """The name goes with the file."""
    if name:
        return _("“%(name)s”") % {"name": name}
    return _("a file") if event.action == Action.FILE_DELETE else _("a file that was deleted later")


def _doer(event: AuditEvent, file: File | None) -> str:
    if event.action in _SENDING and file is not None and event.actor.startswith("system:"):
        return str(file.uploaded_by)
    return str(event.actor)


def _person_in(event: AuditEvent) -> str:
    """The person that something was done to, or ''."""
    target = str(event.target)
    if event.action.startswith(("invitation:", "code:")) and is_id(target):
        return f"client:{target}"
    return target if target.startswith(("user:", "client:")) else ""
