"""The URLs of the project: the admin and the pack's monitoring."""

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]
if apps.is_installed("dutiful.monitoring"):
    urlpatterns += [path("", include("dutiful.monitoring.urls"))]
