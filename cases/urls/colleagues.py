"""Routes by which the owner of a case shares it with colleagues; included in the namespace
`cases`."""

from django.urls import path

import filevault.converters  # noqa: F401 - registers `<id:…>`
from cases.views import colleagues as views

urlpatterns = [
    path("<id:case_id>/colleagues/", views.share, name="share"),
    path("<id:case_id>/colleagues/access/", views.change_access, name="share-access"),
    path("<id:case_id>/colleagues/remove/", views.remove, name="unshare"),
]
