"""Every page of the project."""

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, reverse_lazy
from django.views.generic import RedirectView

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]
if apps.is_installed("dutiful.monitoring"):
    urlpatterns += [path("", include("dutiful.monitoring.urls"))]
if apps.is_installed("tasks.examples"):
    urlpatterns += [path("", include("tasks.examples.urls"))]
else:
    urlpatterns += [path("", RedirectView.as_view(url=reverse_lazy("admin:index")))]
