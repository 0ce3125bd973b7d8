from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        for chores in ("sealing", "checkpoints", "verification_job"):  # register themselves
            import_module(f"accounts.{chores}")
        for views in ("admin_users", "admin_outbox", "admin_audit"):  # register themselves
            import_module(f"accounts.{views}")
