"""The forms of accounts."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.profiles import NAME_LENGTH, PRACTICE_LENGTH


class ProfileForm(forms.Form):
    """What others read of a practitioner."""

    display_name = forms.CharField(
        label=_("Your name"),
        max_length=NAME_LENGTH,
        help_text=_("As your clients know you. They read it in every e-mail."),
        error_messages={"required": _("Please enter the name that your clients know.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    practice = forms.CharField(
        label=_("Practice or firm"),
        max_length=PRACTICE_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("As the browser asks for")), *settings.LANGUAGES],
        required=False,
    )


class BreakGlassForm(forms.Form):
    """The password form for when the login provider is away."""

    username = forms.CharField(
        label=_("User name"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=512,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
