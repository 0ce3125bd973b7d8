from django.apps import AppConfig


class FilevaultConfig(AppConfig):
    """The project itself: what belongs to no app (jobs, mail, commands)."""

    name = "filevault"
