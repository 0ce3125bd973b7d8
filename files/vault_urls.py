"""Routes of a practitioner's own files: the vault, what others share with them, the gallery. The
namespace of the files stands beside `vault`, not in it, so that `files` reverses its routes by one
name."""

from django.urls import include, path

import files.converters  # noqa: F401 - registers `<user_space:…>`
from files import vault_views as views

vault_patterns = [
    path("", views.list_mine, name="mine"),
    path("gallery/", views.gallery, name="gallery"),
    path("shared/", views.list_shared, name="shared"),
    path("shared/<id:file_id>/view", views.view_shared, name="shared-view"),
    path("shared/<id:file_id>/open", views.open_shared, name="shared-open"),
    path("shared/<id:file_id>/download", views.download_shared, name="shared-download"),
    path("<id:file_id>/sharing", views.share, name="sharing"),
    path("<id:file_id>/unshare", views.unshare, name="unshare"),
    path("<user_space:space_id>/", views.home, name="home"),
]

urlpatterns = [
    path("", include((vault_patterns, "vault"))),
    path(
        "<user_space:space_id>/files/",
        include(("files.urls", "files"), namespace="vault-files"),
    ),
]
