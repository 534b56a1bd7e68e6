"""A page that enqueues, with settings that leave what it enqueues to the relay."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from dutiful.drills.host.settings import *  # noqa: F403

ROOT_URLCONF = "tests.support.traced"
OUTBOX_PUBLISH_AFTER_COMMIT = False


def send(request: HttpRequest) -> HttpResponse:
    from tests.support.rerouting import even

    with transaction.atomic():
        even.delay(1)
        even.apply_async((2,), queue="average_slow_compute")
    even.apply_async((3,), countdown=1)
    return HttpResponse("sent")


urlpatterns = [path("send/", send)]
