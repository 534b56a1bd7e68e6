"""The door for arguments: JSON, small, and no model instances. Nothing is sent on a refusal."""

import datetime
import decimal
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from dutiful.catalogue.classes import QueueClass
from dutiful.conf.queues import NotInCatalogue, by_name, catalogue
from dutiful.drills import tasks as drill_tasks
from dutiful.drills.host.celery import app
from dutiful.publishing.batch import publish_batch
from dutiful.publishing.message import PayloadError, check

urgent: Any = drill_tasks.urgent  # the types refuse these mistakes before we can


def test_a_model_instance_gets_pass_the_primary_key() -> None:
    with pytest.raises(PayloadError, match=r"argument 1 is a User instance. Pass the primary key"):
        urgent.delay(User(pk=1), 0.0)


def test_what_is_not_json_is_named() -> None:
    with pytest.raises(
        PayloadError, match=r"dutiful.drills.tasks.urgent: argument sent is not JSON .object"
    ):
        urgent.delay(1, sent=object())


def test_too_large_names_the_sizes_and_the_largest() -> None:
    limit = by_name("urgent_fast").payload_limit
    with pytest.raises(PayloadError, match=rf"limit is {limit}; the largest is argument sent with"):
        urgent.delay(1, sent="x" * limit)


@pytest.mark.parametrize("queue", catalogue(), ids=str)
def test_the_limit_is_the_queues(queue: QueueClass) -> None:
    """Of the queue that the caller names, else of the task's own."""
    named = "dutiful.drills.tasks.urgent"
    fits, too_large = "x" * (queue.payload_limit - 2), "x" * (queue.payload_limit - 1)
    task = SimpleNamespace(name=named, **vars(queue))
    check(named, [fits], {}, task)
    check(named, [fits], {}, urgent, queue.name)
    for chosen in ((task,), (urgent, queue.name)):
        with pytest.raises(PayloadError, match=f"limit is {queue.payload_limit};"):
            check(named, [too_large], {}, *chosen)


def test_a_batch_and_a_signature_have_the_same_limit() -> None:
    limit = by_name("urgent_fast").payload_limit
    with pytest.raises(PayloadError, match=f"limit is {limit};"):
        publish_batch(urgent, [(1, "x" * limit)])
    with pytest.raises(PayloadError, match=f"limit is {limit};"):
        urgent.s(1, "x" * limit).apply_async()


def test_a_signature_and_send_task_pass_the_same_door() -> None:
    with pytest.raises(PayloadError):
        urgent.s(1, object()).apply_async()
    with pytest.raises(PayloadError):
        app.send_task("dutiful.drills.tasks.urgent", [object()])


def test_an_unknown_queue_is_refused_with_the_choices() -> None:
    with pytest.raises(NotInCatalogue, match=r"queue 'fast' is not in the catalogue.*urgent_fast"):
        urgent.apply_async(args=(1, 0.0), queue="fast")


def test_what_celery_can_carry_passes() -> None:
    check("t", [uuid.uuid4(), datetime.datetime.now(), decimal.Decimal(1)], {"a": [1, {"b": None}]})
