"""Forms of clients and cases."""

from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.actors import Practitioner
from cases import clients, holds, retention, search
from cases.case_parts import check_details as check_case
from cases.rule_forms import OnceField, RuleForm, VersionField
from cases.space import Access
from cases.tables import Case, Client
from files.forms import RecipientField

#: Clients that are offered to choose from without searching.
OFFERED: Final = 50

_NOT_OURS: Final = _(
    "One of these clients isn't in your address book any more. Please choose again."
)


class ClientForm(RuleForm):
    """A person in the address book."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("As you would address them: they read it in their e-mails."),
        error_messages={"required": _("Please enter a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.CharField(
        label=_("E-mail"),
        help_text=_("Invitations and codes go here, and nowhere else."),
        error_messages={
            "required": _("Please enter an e-mail address. The invitation goes there.")
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=_("Language of their e-mails"),
        choices=[("", _("The usual one")), *settings.LANGUAGES],
        required=False,
    )
    notes = forms.CharField(
        label=_("Notes"),
        help_text=_("For yourself: the client never sees them."),
        required=False,
        widget=forms.Textarea,
    )

    def clean(self) -> dict[str, Any]:
        typed = {name: self.text(name) for name in ClientForm.base_fields}
        self.check_by(lambda: clients.check_details(**typed))
        return self.cleaned_data


class NewClientForm(ClientForm):
    """Adds a client."""

    once = OnceField()


class EditClientForm(ClientForm):
    """Changes a client."""

    version = VersionField()


class ClientsField(forms.MultipleChoiceField):
    """Who is on a case. Somebody is needed, but it may be somebody new, so the rules ask for it."""

    widget = forms.CheckboxSelectMultiple

    def validate(self, value: list[str]) -> None:
        if value:
            super().validate(value)


class CaseForm(RuleForm):
    """A case and who is on it. Offers the clients that were added last, those who are chosen, and
    those whom `find` finds; a new one can be entered right here."""

    title = forms.CharField(
        label=_("Title"),
        help_text=_("Your clients see it, but no e-mail ever names it."),
        error_messages={"required": _("Please give the case a title.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reference = forms.CharField(
        label=_("Reference"),
        help_text=_("Your own file number."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    clients = ClientsField(
        label=_("Clients"),
        help_text=_("Everybody you choose sees all files of the case."),
        error_messages={"invalid_choice": _NOT_OURS},
    )
    new_name = forms.CharField(
        label=_("Their name"),
        required=False,
        error_messages={"required": _("Please enter a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    new_email = forms.CharField(
        label=_("Their e-mail"),
        required=False,
        error_messages={
            "required": _("Please enter an e-mail address. The invitation goes there.")
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    access = forms.ChoiceField(
        label=_("How clients come in"),
        choices=[
            ("code", _("By the link, and on a new device a code that we e-mail (safer)")),
            ("link", _("By the link only: whoever has it can open the case")),
        ],
        widget=forms.RadioSelect,
    )
    retention = forms.ChoiceField(
        label=_("How long it is kept once it is closed"),
        help_text=_(
            "Then the case and its files are deleted for good. You are told 30 days, 7 days and "
            "1 day before."
        ),
        choices=retention.choices,
        required=False,
    )
    notes = forms.CharField(
        label=_("Notes"),
        help_text=_("For yourself: clients never see them."),
        required=False,
        widget=forms.Textarea,
    )
    once_client = OnceField()

    def __init__(
        self, actor: Practitioner, data: QueryDict | None = None, *, find: str = "", **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.find = find
        chosen = data.getlist("clients") if data is not None else self.initial.get("clients", [])
        newest = clients.newest_clients(actor, limit=OFFERED + 1)
        self.has_more = len(newest) > OFFERED
        self.found = search.search_clients(actor, find, limit=OFFERED)
        picked = clients.fetch_clients(actor.user_id, chosen[: OFFERED + 1])
        offered = {client.client_id: client for client in [*newest[:OFFERED], *self.found, *picked]}
        ordered = sorted(offered.values(), key=lambda client: client.name_key)
        self.fields["clients"].choices = [  # type: ignore[attr-defined]
            (client.client_id, f"{client.name} · {client.email}") for client in ordered
        ]
        for name in ("new_name", "new_email"):  # with an empty address book there is no other way
            self.fields[name].required = not ordered

    @property
    def adds_client(self) -> bool:
        """Whether somebody new was entered."""
        return bool(self["new_name"].value() or self["new_email"].value())

    def clean(self) -> dict[str, Any]:
        name, email = self.text("new_name"), self.text("new_email")
        chosen = list(self.cleaned_data.get("clients", []))
        if name or email:
            places = {"name": "new_name", "email": "new_email"}
            self.check_by(lambda: clients.check_details(name=name, email=email), places)
            chosen.append(self.cleaned_data["once_client"])
        self.check_by(
            lambda: check_case(
                title=self.text("title"),
                reference=self.text("reference"),
                notes=self.text("notes"),
                client_ids=chosen,
                link_only=self.text("access") == "link",
                retention_rule=self.text("retention"),
            ),
            {} if self.fields["clients"].choices else {"clients": "new_name"},  # type: ignore[attr-defined]
        )
        return self.cleaned_data

    def details(self, actor: Practitioner) -> dict[str, Any]:
        """What the rules of cases take; a new client is added first, under an id of this form's, so
        that doing it again adds nobody twice."""
        data = self.cleaned_data
        client_ids = list(data["clients"])
        if data["new_name"]:
            added = clients.create_client(
                actor,
                name=data["new_name"],
                email=data["new_email"],
                client_id=data["once_client"],
            )
            client_ids.append(added.client_id)
        return {
            "title": data["title"],
            "reference": data["reference"],
            "notes": data["notes"],
            "client_ids": client_ids,
            "link_only": data["access"] == "link",
            "retention_rule": data["retention"],
        }


class NewCaseForm(CaseForm):
    """Opens a case."""

    once = OnceField()


class EditCaseForm(CaseForm):
    """Changes a case."""

    version = VersionField()


class ColleagueForm(RuleForm):
    """Shares a case with a colleague."""

    email = RecipientField(help_text=_("They get an e-mail that names you, and not the case."))
    access = forms.ChoiceField(
        label=_("What they may do"),
        choices=[
            (Access.READ, _("Read and download")),
            (Access.WRITE, _("Also add files, and delete their own")),
        ],
        initial=Access.READ,
        widget=forms.RadioSelect,
    )


class HoldForm(RuleForm):
    """Places a legal hold."""

    reason = forms.CharField(
        label=_("Why it has to be kept"),
        help_text=_("Such as a lawsuit or an audit. Clients never see it."),
        error_messages={"required": holds.NO_REASON},
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        self.check_by(lambda: holds.check_reason(self.text("reason")))
        return self.cleaned_data


def client_initial(client: Client) -> dict[str, Any]:
    """What a client's form starts with."""
    texts = {name: getattr(client, name) for name in ClientForm.base_fields}
    return {**texts, "version": client.event_id}


def new_case_initial(client_id: str) -> dict[str, Any]:
    """What the form of a new case starts with; `client_id` is the client it was asked for."""
    access = "code" if settings.INVITATION_CODE else "link"
    return {"access": access, "clients": [client_id] if client_id else []}


def case_initial(case: Case) -> dict[str, Any]:
    """What a case's form starts with."""
    return {
        "title": case.title,
        "reference": case.reference,
        "notes": case.notes,
        "clients": list(case.client_ids),
        "access": "link" if case.link_only else "code",
        "retention": case.retention,
        "version": case.event_id,
    }


def typed_initial(data: QueryDict) -> dict[str, Any]:
    """What a case's form starts with to be shown again as it was typed, unchecked."""
    names = (*CaseForm.base_fields, "once", "version")
    return {name: data.get(name, "") for name in names} | {"clients": data.getlist("clients")}
