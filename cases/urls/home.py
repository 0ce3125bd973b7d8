"""The start page and search."""

from django.urls import path

from cases.views import home, search

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
]
