from importlib import import_module

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "files"

    def ready(self) -> None:
        import_module("files.purge")  # registers its job handlers
        import_module("files.events")
        import_module("files.sweep_job")
        import_module("files.inspection")
        import_module("files.previews")
        import_module("files.publishing")
        import_module("files.vault")
        import_module("files.share_mail")
        import_module("files.sharing")  # hears of logins
        import_module("files.admin_reads")
        import_module("files.admin_views")
