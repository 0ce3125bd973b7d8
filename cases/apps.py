from importlib import import_module

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"

    def ready(self) -> None:
        # The kind of space, job handlers, mails, listeners of logins: each registers itself.
        for module in (
            "space",
            "colleagues",
            "colleague_mail",
            "invitation_mail",
            "notice_closing",
            "notice_mail",
            "purge",
            "retention_job",
            "retention_mail",
            "admin_views",
        ):
            import_module(f"cases.{module}")
