"""Forms that leave it to the rules what is right and wrong, and lose nothing that was typed."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.http import QueryDict

from accounts.http import add_errors
from cases.clients import AlreadySaved, ChangedMeanwhile
from filevault.dynamo import is_id, new_id
from filevault.errors import Conflict, Invalid

T = TypeVar("T")


class OnceField(forms.CharField):
    """Names the record that a form makes, so that posting twice makes one. What is no id of ours
    counts for nothing."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=new_id)

    def clean(self, value: Any) -> str:
        text = str(value or "")
        return text if is_id(text) and uuid.UUID(text).version == 7 else new_id()


class VersionField(forms.CharField):
    """The row that an edit began with, so that nobody's change is overwritten unseen."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def clean(self, value: Any) -> str:
        return str(value or "")


class RuleForm(forms.Form):
    """A form that hands its content to one rule. `saved_now` holds, after somebody else's change,
    label and value of what is saved differently."""

    def __init__(self, data: QueryDict | None = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.conflict: Conflict | None = None
        self.saved_now: list[tuple[str, str]] = []

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form."""
        if self.conflict is not None:
            return 409
        return 422 if self.is_bound and self.errors else 200

    def submit(self, rule: Callable[[dict[str, Any]], T]) -> T | None:
        """What the rule made of the form's content; None where it was refused."""
        if not self.is_bound or not self.is_valid():
            return None
        try:
            return rule(self.cleaned_data)
        except Invalid as error:
            add_errors(self, error)
        except Conflict as error:
            self._refuse(error)
        return None

    def check_by(self, rule: Callable[[], object], names: Mapping[str, str] | None = None) -> None:
        """Ask a rule beforehand, so that all errors show at once; `names` leads from the rule's
        fields to the form's."""
        try:
            rule()
        except Invalid as error:
            for name, message in error.fields.items():
                place = (names or {}).get(name, name)
                if place not in self.errors:
                    self.add_error(place, str(message))

    def text(self, name: str) -> str:
        """What was typed into a field, as far as it is valid."""
        return str(self.cleaned_data.get(name) or "")

    def shown(self, name: str, value: Any) -> str:
        """A field's value in words."""
        choices = dict(getattr(self.fields[name], "choices", ()))
        values = value if isinstance(value, list) else [value]
        return ", ".join(str(choices.get(key, key)) for key in values)

    def _refuse(self, error: Conflict) -> None:
        self.conflict = error
        self.add_error(None, str(error.message))
        data = QueryDict(mutable=True)  # so that pressing the button again is a decision, and works
        data.update(self.data)
        for name, field in self.fields.items():
            if isinstance(error, AlreadySaved) and isinstance(field, OnceField):
                data[name] = new_id()
            if isinstance(error, ChangedMeanwhile) and isinstance(field, VersionField):
                data[name] = self.initial[name]
        self.data = data
        if isinstance(error, ChangedMeanwhile):
            self.saved_now = [
                (str(self.fields[name].label), self.shown(name, saved))
                for name, saved in self.initial.items()
                if not self.fields[name].widget.is_hidden and saved != self.cleaned_data.get(name)
            ]
