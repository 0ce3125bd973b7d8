"""The product's routes and the mailbox page: the URLconf where FILEVAULT_LOCAL=1."""

from django.urls import path

from filevault import urls
from filevault.local import mailbox

urlpatterns = [
    *urls.urlpatterns,
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<str:mail_id>/", mailbox.mail, name="mail"),
    path("mailbox/<str:mail_id>/html", mailbox.mail_html, name="mail_html"),
]

handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
