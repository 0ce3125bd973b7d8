"""Forms of the files pages."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.addressing import NO_ADDRESS


class PlainUploadForm(forms.Form):
    """The name of a file that is about to be chosen, without JavaScript. The rules check it."""

    #: Named as in every answer about it, so that a refusal finds its place.
    fileName = forms.CharField(
        label=_("Name of the file, with its ending"),
        help_text=_("For example: “Letter of 3 March.pdf”. The others see it under this name."),
        max_length=10_000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: QueryDict | None = None, *, is_personal: bool) -> None:
        super().__init__(data)
        if is_personal:
            self.fields["fileName"].help_text = _("For example: “Letter of 3 March.pdf”.")


class RecipientField(forms.CharField):
    """The address of somebody to share with. The rules check it."""

    widget = forms.EmailInput

    def __init__(self, **options: Any) -> None:
        errors = {"required": NO_ADDRESS}
        super().__init__(
            label=_("E-mail address"), error_messages=errors, max_length=320, **options
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"autocomplete": "off"}


class ShareForm(forms.Form):
    """Whom a file is shared with."""

    email = RecipientField(help_text=_("They get an e-mail that names you, and not the file."))
