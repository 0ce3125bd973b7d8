"""Forms of the files pages."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _


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


class ShareForm(forms.Form):
    """Whom a file is shared with. The rules check the address."""

    email = forms.CharField(
        label=_("E-mail address"),
        help_text=_("They get an e-mail that names you, and not the file."),
        error_messages={"required": _("Please enter an e-mail address, such as name@example.com.")},
        max_length=320,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
