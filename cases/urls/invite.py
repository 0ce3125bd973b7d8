"""Routes of an invitation's link. Only the first path holds a token, and it is left at once (I2);
it stands last, since any text may be one."""

from django.urls import path

from cases.views import invite as views

app_name = "invite"

urlpatterns = [
    path("", views.start, name="start"),
    path("enter/", views.enter, name="enter"),
    path("send-code/", views.send_code, name="send-code"),
    path("code/", views.code, name="code"),
    path("fresh/", views.fresh, name="fresh"),
    path("<path:token>/", views.open_link, name="open"),
]
