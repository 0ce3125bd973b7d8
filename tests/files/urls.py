"""The routes of files under a space of the tests, and the names that the frame's links need."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, register_converter

from filevault import views


class TestSpaceConverter:
    regex = "[a-z-]+"

    def to_python(self, value: str) -> str:
        return f"test:{value}"

    def to_url(self, value: str) -> str:
        return value.removeprefix("test:")


register_converter(TestSpaceConverter, "test_space")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _named(area: str, *names: str) -> object:
    routes = [path(f"{area}/{name}", nothing, name=name) for name in names]
    return path("", include((routes, area)))


urlpatterns = [
    path("cases/<test_space:space_id>/files/", include("files.urls", namespace="cases-files")),
    path("portal/<test_space:space_id>/files/", include("files.urls", namespace="portal-files")),
    path("", nothing, name="home"),
    path("search", nothing, name="search"),
    _named("cases", "list"),
    _named("clients", "list"),
    _named("accounts", "settings", "logout", "login", "keepalive"),
    _named("vault", "mine"),
    _named("portal", "leave", "keepalive"),
]

handler404 = views.not_found
