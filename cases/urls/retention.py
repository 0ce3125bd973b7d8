"""Routes of legal holds and deletion certificates; included in the namespace `cases`."""

from django.urls import path

import filevault.converters  # noqa: F401 - registers `<id:…>`
from cases.views import retention as views

urlpatterns = [
    path("deleted/", views.list_deleted, name="deleted"),
    path("deleted/<id:certificate_id>/certificate/", views.certificate, name="certificate"),
    path("<id:case_id>/hold/", views.hold, name="hold"),
    path("<id:case_id>/hold/lift/", views.lift, name="lift-hold"),
]
