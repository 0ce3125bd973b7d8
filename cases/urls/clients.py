"""Routes of the address book."""

from django.urls import path

import filevault.converters  # noqa: F401 - registers `<id:…>`
from cases.views import clients as views

app_name = "clients"

urlpatterns = [
    path("", views.list_clients, name="list"),
    path("new/", views.create, name="new"),
    path("<id:client_id>/", views.show, name="detail"),
    path("<id:client_id>/edit/", views.edit, name="edit"),
    path("<id:client_id>/delete/", views.delete, name="delete"),
]
