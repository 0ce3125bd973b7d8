"""The JSON API under `/api/` (docs/api.md). It owns no rule: pages call the same functions."""

from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from filevault.api.auth import BearerToken, SessionCookie
from filevault.api.errors import JsonParser, add_handlers
from filevault.api.files import router as files_router
from filevault.api.login import router as login_router

api = NinjaAPI(
    title="Filevault",
    version="1",
    urls_namespace="api",
    auth=[BearerToken(), SessionCookie()],
    parser=JsonParser(),
    docs_decorator=require_safe,
)
add_handlers(api)
api.add_router("/auth", login_router)
api.add_router("/files", files_router)
