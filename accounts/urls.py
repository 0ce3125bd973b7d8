"""Login, logout and settings of practitioners."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("auth/login/", views.login, name="login"),
    path("auth/callback/", views.callback, name="callback"),
    path("auth/logout/", views.logout, name="logout"),
    path("auth/signed-out/", views.signed_out, name="signed_out"),
    path("auth/keepalive/", views.keepalive, name="keepalive"),
    path("auth/break-glass/", views.break_glass, name="break_glass"),
    path("welcome/", views.welcome, name="welcome"),
    path("settings/", views.profile_settings, name="settings"),
]
