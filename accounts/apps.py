from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        import_module("accounts.sealing")  # registers what the worker does periodically
        for views in ("admin_users", "admin_outbox", "admin_audit"):  # register themselves
            import_module(f"accounts.{views}")
