"""Decides what becomes of a database connection between two tasks.

Celery closes every connection before and after each task, and on prefork Django's whole pool
(celery/celery#10554). Here a prefork child, which runs one task at a time, keeps its connection as
a web process does: for CONN_MAX_AGE, and with CONN_HEALTH_CHECKS a connection that died meanwhile
is replaced before a task's first query. Threads share a pool (dutiful/database/connections.py):
each gives back its connection after each task, or a hundred threads would hold one each for ever.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from celery import signals
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.module_loading import import_string

from dutiful.worker.database import holds, timeouts
from dutiful.worker.database.discard import discard_connections

logger = logging.getLogger(__name__)


class _Opened(threading.local):
    any = False
    """Whether this thread has opened a connection; most tasks open none."""


_opened = _Opened()
_caches_close = True


def connect() -> None:
    """Replaces Celery's handlers in workers that start in this process."""
    signals.worker_init.connect(_replace_celerys)


def _replace_celerys(sender: Any, **_: Any) -> None:
    # Imported only in workers.
    from celery.concurrency.prefork import TaskPool as PreforkPool
    from celery.concurrency.solo import TaskPool as SoloPool

    for fixup in sender.app._fixups:
        theirs = getattr(fixup, "worker_fixup", None)
        if theirs is not None:
            signals.task_prerun.disconnect(theirs.on_task_prerun)
            signals.task_postrun.disconnect(theirs.on_task_postrun)
    install(keeps=issubclass(sender.pool_cls, (PreforkPool, SoloPool)))


def install(keeps: bool) -> None:
    """Connects the handlers in a process that runs tasks.

    `keeps`: it keeps its connection from one task to the next.
    """
    connection_created.connect(_note)
    signals.task_prerun.connect(_before)
    signals.task_postrun.connect(_after)
    timeouts.connect()
    holds.connect()
    global _settle, _caches_close
    _settle = _keep if keeps else _release
    backends = [import_string(each["BACKEND"]) for each in settings.CACHES.values()]
    _caches_close = any(each.close is not BaseCache.close for each in backends)


def _note(**_: Any) -> None:
    _opened.any = True


def _before(task: Any, **_: Any) -> None:
    if task.request.is_eager:
        return
    opened = _opened.any
    if opened:
        _settle_all()
    timeouts.begin(task, opened)
    holds.begin(task)


def _after(task: Any, **_: Any) -> None:
    if task.request.is_eager:
        return
    opened = _opened.any
    holds.end(opened)
    timeouts.end()
    if opened:
        _settle_all()
    if _caches_close:
        for cache in caches.all(initialized_only=True):
            cache.close()


def _settle_all() -> None:
    _opened.any = _settle is _keep
    try:
        for connection in connections.all(initialized_only=True):
            _settle(connection)
    except Error:
        logger.warning("a database connection did not close cleanly", exc_info=True)
        discard_connections()


def _keep(connection: BaseDatabaseWrapper) -> None:
    # A time limit may have been raised in a query, or at the end of a transaction.
    if connection.in_atomic_block or _is_busy(connection):
        discard_connections()
    else:
        connection.close_if_unusable_or_obsolete()


def _is_busy(connection: Any) -> bool:
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return bool(connection.connection.pgconn.transaction_status)


def _release(connection: BaseDatabaseWrapper) -> None:
    if connection.connection is not None:
        connection.close()


_settle: Callable[[BaseDatabaseWrapper], None] = _release
