"""Right after the commit: what was called in the transaction is published at once, and deleted."""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from dutiful.outbox import options, rows
from dutiful.publishing.prepared import Prepared
from dutiful.publishing.publish import after

if TYPE_CHECKING:
    from dutiful.outbox.door import Sender

Kept = tuple[int, Prepared]
"""A row's primary key, and its message."""
ATTRIBUTE: Final = "_outbox_pending"
"""Of Django's connection, which is one thread's."""
CHUNK: Final = 1_000

logger = logging.getLogger(__name__)


class Pending:
    """What the open transaction of one connection has kept."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Prepared, float]] = {}

    def add(self, kept: Sequence[Kept]) -> None:
        now = time.monotonic()
        self.kept.update({key: (message, now) for key, message in kept})


def send_after(connection: BaseDatabaseWrapper, sender: "Sender", kept: Sequence[Kept]) -> None:
    """Sends these after the commit. A rollback, of a savepoint too, forgets them."""
    pending: Pending | None = vars(connection).get(ATTRIBUTE)
    # A transaction that was rolled back has left its own; Django has dropped its hooks by then.
    if pending is None or not connection.run_on_commit:
        pending = vars(connection)[ATTRIBUTE] = Pending()
    pending.add(kept)
    # Each call registers, since Django drops those of a savepoint; the first that runs sends all.
    transaction.on_commit(
        lambda: _send(pending, sender, {key for key, _ in kept}),
        using=connection.alias,
        robust=True,
    )


def _send(pending: Pending, sender: "Sender", own: set[int]) -> None:
    kept, pending.kept = pending.kept, {}
    if not kept:
        return
    try:
        if kept.keys() != own:
            # Some may belong to a savepoint that was rolled back: the committed rows tell.
            there: set[tuple[int, str]] = set()
            for keys in _chunks(list(kept)):
                there |= rows.there(keys)
            kept = {key: one for key, one in kept.items() if (key, one[0].id) in there}
        for keys in _chunks(list(kept)):
            _publish(sender, {key: kept[key] for key in keys})
    except DatabaseError as error:
        # Committed, and perhaps sent: the relay sends it again. At least once.
        logger.warning("rows of the outbox stay for the relay, the database failed: %s", error)


def _publish(sender: "Sender", kept: dict[int, tuple[Prepared, float]]) -> None:
    oldest = min(since for _, since in kept.values())
    if sender.breaker.open:
        rows.release(kept, sender.breaker.reason)
        return
    if time.monotonic() - oldest > options.HOLD:
        return  # a long transaction: a relay may have it already
    messages = [message for message, _ in kept.values()]
    errors = sender.put(messages)
    sent = [key for key, error in zip(kept, errors, strict=True) if error is None]
    if sent:
        rows.delete(sent)
    failed: dict[str, list[int]] = {}
    for key, error in zip(kept, errors, strict=True):
        if error is None:
            after(kept[key][0])
        else:
            failed.setdefault(str(error) or type(error).__name__, []).append(key)
    for why, keys in failed.items():
        rows.release(keys, why)


def _chunks(keys: list[int]) -> list[list[int]]:
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
