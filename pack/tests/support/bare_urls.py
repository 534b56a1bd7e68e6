"""The URLs of `bare_host`: those of monitoring."""

from django.urls import include, path

urlpatterns = [path("", include("dutiful.monitoring.urls"))]
