"""Forms of the files pages."""

from django import forms
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
