"""Every route of the product. `/portal/` and `/invite/` read the client's session alone, all
others the practitioner's alone. `/healthz` and `/readyz` are `filevault.middleware`'s: they are
answered whatever the Host."""

from django.contrib import admin
from django.urls import include, path

from filevault.api.api import api
from filevault.views import signing_keys

urlpatterns = [
    path("", include("cases.urls.home")),
    path("clients/", include("cases.urls.clients")),
    path("cases/", include("cases.urls.cases")),
    path("files/", include("files.vault_urls")),
    path("invite/", include("cases.urls.invite")),
    path("portal/", include("cases.urls.portal")),
    path("", include("accounts.urls")),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path(".well-known/filevault-keys.json", signing_keys, name="signing-keys"),
]

handler400 = "filevault.views.bad_request"
handler403 = "filevault.views.forbidden"
handler404 = "filevault.views.not_found"
handler500 = "filevault.views.server_error"
