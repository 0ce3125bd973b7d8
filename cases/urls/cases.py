"""Routes of cases. The namespace of the files stands beside `cases`, not in it, so that `files`
reverses its routes by one name."""

from django.urls import include, path

import cases.converters  # noqa: F401 - registers `<case_space:…>`, `<activity_form:…>`
from cases.urls import colleagues, invitations, retention
from cases.views import activity
from cases.views import cases as views

case_patterns = [
    path("", views.list_cases, name="list"),
    path("new/", views.create, name="new"),
    path("new/clients/", views.pick, name="pick"),
    path("<id:case_id>/", views.show, name="detail"),
    path("<id:case_id>/edit/", views.edit, name="edit"),
    path("<id:case_id>/edit/clients/", views.pick_more, name="pick-more"),
    path("<id:case_id>/close/", views.close, name="close"),
    path("<id:case_id>/reopen/", views.reopen, name="reopen"),
    path("<id:case_id>/delete/", views.delete, name="delete"),
    path("<id:case_id>/activity/", activity.show, name="activity"),
    path("<id:case_id>/activity/export.<activity_form:form>", activity.export, name="export"),
    *colleagues.urlpatterns,
    *invitations.urlpatterns,
    *retention.urlpatterns,
]

urlpatterns = [
    path("", include((case_patterns, "cases"))),
    path(
        "<case_space:space_id>/files/",
        include(("files.urls", "files"), namespace="cases-files"),
    ),
]
