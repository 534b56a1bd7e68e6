"""Builds the row of a dead letter from a stream entry, a queue or a worker's request; saves it."""

import json
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dutiful.deadletters import fingerprint as prints
from dutiful.deadletters.models import DeadLetter
from dutiful.deadletters.reading import Read, read, text
from dutiful.task.attempts import LONGEST
from dutiful.task.endings import LONGEST_MESSAGE, LONGEST_TRACEBACK, Ending
from dutiful.transport.rabbitmq.dead_queue import Returned, queue_of
from dutiful.transport.redis.dead import DeadLetter as Entry

REPLAY_OF: Final = "replay_of"
"""Message header of a replay: the primary key of its dead letter."""
MOST_JSON: Final = 1024 * 1024
"""The most characters of arguments that are shown and can be edited; `raw` has all of them."""


def of_stream(letter: Entry) -> DeadLetter:
    """The row of an entry of the Redis stream. It is not saved."""
    try:
        detail = json.loads(letter.detail) if letter.detail.startswith("{") else {}
        ending = Ending(
            **{key: text(value, LONGEST_TRACEBACK * 2) for key, value in detail.items()}
        )
    except (ValueError, TypeError, RecursionError):
        ending = Ending(letter.reason, message=letter.detail)
    if not ending.reason:
        ending = Ending(letter.reason, message=letter.detail)
    # Two brokers may use the same id. An entry of a restored broker has the same bytes.
    digest = sha1(letter.raw, usedforsecurity=False).hexdigest()[:16]
    at = datetime.fromtimestamp(letter.at, UTC)
    row = _row(f"{letter.id}/{digest}", at, ending, letter.raw, letter.crashes)
    row.reason = text(letter.reason, 100)
    row.list = text(letter.list)
    row.queue = row.queue or row.list.partition("\x06")[0]
    return row


def of_request(request: Any, ending: Ending) -> DeadLetter:
    """The row of a message that no stream takes: of another transport, or acknowledged early."""
    message = request.message
    queue = queue_of(message)
    source = _direct(request.id, message.headers)
    return _row(source, timezone.now(), ending, _written(message, message.headers, queue), ())


def of_queue(letter: Returned) -> DeadLetter:
    """The row of a message in RabbitMQ's queue of dead letters. It is not saved."""
    at = datetime.fromtimestamp(letter.at, UTC)
    written = _written(letter.message, letter.headers, letter.queue)
    found = read(written)
    # A worker may have saved its row and died before it told the broker.
    source = _direct(found.task_id, letter.headers) if found.readable else f"queue/{letter.digest}"
    row = _row(source, at, Ending(letter.reason, message=letter.detail), written, ())
    row.list = text(letter.queue)
    return row


def _written(message: Any, headers: Any, queue: str) -> bytes:
    """A message of another transport in the form that it would have in Redis."""
    body = message.body
    raw = {
        "body": b64encode(body if isinstance(body, bytes) else str(body).encode()).decode(),
        "content-type": message.content_type,
        "content-encoding": message.content_encoding,
        "headers": headers,
        "properties": {
            **_plain(message.properties),
            "body_encoding": "base64",
            "delivery_info": {**_plain(message.delivery_info), "routing_key": queue},
        },
    }
    raw["properties"].pop("application_headers", None)  # RabbitMQ's name for the headers
    return json.dumps(raw, default=str).encode()


def _direct(task_id: str, headers: Any) -> str:
    """The source of a message without a stream entry; the same one if it is delivered again."""
    same = (task_id, *(headers.get(key) for key in ("retries", "enqueued_at", REPLAY_OF)))
    return f"direct/{sha1(repr(same).encode(), usedforsecurity=False).hexdigest()}"


def save(rows: Iterable[DeadLetter]) -> int:
    """Saves each row once and marks the replays that they end. Returns the number of new rows.

    All rows are committed when it returns, and none if it raises django.db.Error.
    """
    rows = list(rows)
    with transaction.atomic(durable=True):
        known = set(
            DeadLetter.objects.filter(source__in=[row.source for row in rows]).values_list(
                "source", flat=True
            )
        )
        new = [row for row in rows if row.source not in known]
        replays = {row.source: _replayed(row) for row in new}
        existing = set(
            DeadLetter.objects.filter(pk__in=[pk for pk in replays.values() if pk]).values_list(
                "pk", flat=True
            )
        )
        for row in new:
            pk = replays[row.source]
            row.replay_of_id = pk if pk in existing else None
        DeadLetter.objects.bulk_create(new, ignore_conflicts=True, batch_size=100)
        DeadLetter.objects.filter(
            Q(state=DeadLetter.State.REPLAYED) | Q(state=DeadLetter.State.SUCCEEDED),
            pk__in=[row.replay_of_id for row in new if row.replay_of_id],
        ).update(state=DeadLetter.State.DIED_AGAIN, state_at=timezone.now())
    return len(new)


def _row(
    source: str, at: datetime, ending: Ending, raw: bytes, crashes: Iterable[Any]
) -> DeadLetter:
    found = read(raw)
    message = text(ending.message, LONGEST_MESSAGE)
    exception = text(ending.exception)
    frame, place = prints.own_frame(ending.traceback)
    summary = f"{exception}: {message}" if exception else f"{ending.reason}: {message}"
    attempts = [[None, "", text(each)] for each in crashes] + found.attempts
    attempts.append([at.timestamp(), text(ending.worker), text(summary)[:LONGEST]])
    return DeadLetter(
        source=source,
        died_at=at,
        reason=text(ending.reason, 100),
        fingerprint=prints.fingerprint(found.task, ending.reason, exception, place, message),
        task=found.task,
        task_id=found.task_id,
        queue=text(found.queue, 100),
        args=_as_json(found.args),
        kwargs=_as_json(found.kwargs),
        exception=exception,
        message=message,
        traceback=text(ending.traceback, 2 * LONGEST_TRACEBACK),
        frame=text(frame),
        worker=text(ending.worker),
        attempts=attempts,
        raw=raw,
    )


def _replayed(row: DeadLetter) -> int | None:
    found: Read = read(bytes(row.raw))
    pk = found.headers.get(REPLAY_OF)
    return pk if type(pk) is int and 0 < pk < 2**63 else None


def _as_json(value: Any) -> str:
    if value is None:
        return ""
    try:
        return text(json.dumps(value, ensure_ascii=False), MOST_JSON)
    except (ValueError, TypeError, RecursionError):
        return ""


def _plain(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
