"""Monitoring's addresses."""

from django.urls import URLPattern, re_path

from monitoring import healthz
from monitoring.metrics import views
from monitoring.status import views as status

urlpatterns: list[URLPattern] = [
    re_path(r"^healthz/live/?$", healthz.live, name="healthz-live"),
    re_path(r"^healthz/ready/?$", healthz.ready, name="healthz-ready"),
    re_path(r"^healthz/beat/?$", healthz.beat, name="healthz-beat"),
    re_path(r"^healthz/queues/?$", healthz.queues, name="healthz-queues"),
    re_path(r"^metrics/?$", views.metrics, name="metrics"),
    re_path(r"^status/$", status.status, name="status"),
    re_path(r"^status/live/$", status.live, name="status-live"),
]
