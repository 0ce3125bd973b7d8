"""Routes of the clients' portal. The namespace of the files stands beside `portal`, not in it, so
that `files` reverses its routes by one name."""

from django.urls import include, path

import cases.converters  # noqa: F401 - registers `<case_space:…>`
from cases.views import activity
from cases.views import portal as views

portal_patterns = [
    path("", views.list_cases, name="list"),
    path("leave/", views.leave, name="leave"),
    path("left/", views.left, name="left"),
    path("keepalive/", views.keepalive, name="keepalive"),
    path("<id:case_id>/", views.show_case, name="case"),
    path("<id:case_id>/activity/", activity.show_client, name="activity"),
]

urlpatterns = [
    path("", include((portal_patterns, "portal"))),
    path(
        "<case_space:space_id>/files/",
        include(("files.urls", "files"), namespace="portal-files"),
    ),
]
