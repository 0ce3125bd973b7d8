from importlib import import_module

from django.apps import AppConfig


class FilevaultConfig(AppConfig):
    """The project itself: what belongs to no app (jobs, mail, commands)."""

    name = "filevault"

    def ready(self) -> None:
        import_module("filevault.mail_events")  # registers what handles its queue
