"""The URLs of the project: the admin and the pack's monitoring."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("dutiful.monitoring.urls")),
]
