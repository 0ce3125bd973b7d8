"""Routes of the files of a space; included once under each kind of page that shows a space, with
`space_id` from the path before it. The page one level up is the space's own."""

from django.urls import path

import filevault.converters  # noqa: F401 - registers `<id:…>`
from files import preview_views, receipt_views, upload_views, views, zip_views

app_name = "files"

urlpatterns = [
    path("", views.list_files, name="list"),
    path("add", upload_views.plain, name="plain"),
    path("zip", zip_views.archive, name="zip"),
    path("presign", upload_views.presign, name="presign"),
    path("same", upload_views.same, name="same"),
    path("parts/<id:file_id>", upload_views.upload_parts, name="parts"),
    path("confirm/<id:file_id>", upload_views.confirm, name="confirm"),
    path("abort/<id:file_id>", upload_views.abort, name="abort"),
    path("<id:file_id>/uploaded", upload_views.uploaded, name="uploaded"),
    path("<id:file_id>/view", preview_views.view, name="view"),
    path("<id:file_id>/open", preview_views.open_original, name="open"),
    path("<id:file_id>/download", views.download, name="download"),
    path("<id:file_id>/receipt", receipt_views.receipt, name="receipt"),
    path("<id:file_id>/delete", views.delete, name="delete"),
]
