"""The URLs of monitoring, in the namespace `dutiful`."""

from django.urls import URLPattern, re_path

from dutiful.monitoring.healthz import views as healthz
from dutiful.monitoring.metrics import views
from dutiful.monitoring.status import views as status

app_name = "dutiful"
urlpatterns: list[URLPattern] = [
    re_path(r"^healthz/live/?$", healthz.live, name="healthz-live"),
    re_path(r"^healthz/ready/?$", healthz.ready, name="healthz-ready"),
    re_path(r"^healthz/beat/?$", healthz.beat, name="healthz-beat"),
    re_path(r"^healthz/queues/?$", healthz.queues, name="healthz-queues"),
    re_path(r"^metrics/?$", views.metrics, name="metrics"),
    re_path(r"^status/$", status.status, name="status"),
    re_path(r"^status/live/$", status.live, name="status-live"),
]
