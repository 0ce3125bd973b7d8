"""Routes by which a practitioner invites the clients of a case; included in the namespace
`cases`."""

from django.urls import path

import filevault.converters  # noqa: F401 - registers `<id:…>`
from cases.views import invitations as views

urlpatterns = [
    path("<id:case_id>/clients/<id:client_id>/invite/", views.invite, name="invite"),
    path("<id:case_id>/clients/<id:client_id>/resend/", views.resend, name="resend"),
    path("<id:case_id>/clients/<id:client_id>/revoke/", views.revoke, name="revoke"),
]
