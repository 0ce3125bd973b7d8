from importlib import import_module

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"

    def ready(self) -> None:
        # The kind of space, job handlers and mails: each registers itself.
        for module in (
            "space",
            "invitation_mail",
            "notice_closing",
            "notice_mail",
            "purge",
            "admin_views",
        ):
            import_module(f"cases.{module}")
