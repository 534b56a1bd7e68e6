"""The door for arguments: JSON, small, and no model instances. Nothing is sent on a refusal."""

import datetime
import decimal
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from drills import tasks as drill_tasks
from project.celery import app
from tasks.payload import LIMIT, PayloadError
from tasks.queues import NotInCatalogue

urgent: Any = drill_tasks.urgent  # the types refuse these mistakes before we can


def test_a_model_instance_gets_pass_the_primary_key() -> None:
    with pytest.raises(PayloadError, match=r"argument 1 is a User instance. Pass the primary key"):
        urgent.delay(User(pk=1), 0.0)


def test_what_is_not_json_is_named() -> None:
    with pytest.raises(
        PayloadError, match=r"drills.tasks.urgent: argument sent is not JSON .object"
    ):
        urgent.delay(1, sent=object())


def test_too_large_names_the_sizes_and_the_largest() -> None:
    with pytest.raises(PayloadError, match=rf"limit is {LIMIT}; the largest is argument sent"):
        urgent.delay(1, sent="x" * LIMIT)


def test_a_signature_and_send_task_pass_the_same_door() -> None:
    with pytest.raises(PayloadError):
        urgent.s(1, object()).apply_async()
    with pytest.raises(PayloadError):
        app.send_task("drills.tasks.urgent", [object()])


def test_an_unknown_queue_is_refused_with_the_choices() -> None:
    with pytest.raises(NotInCatalogue, match=r"queue 'fast' is not in the catalogue.*urgent_fast"):
        urgent.apply_async(args=(1, 0.0), queue="fast")


def test_what_celery_can_carry_passes() -> None:
    from tasks.payload import check

    check("t", [uuid.uuid4(), datetime.datetime.now(), decimal.Decimal(1)], {"a": [1, {"b": None}]})
