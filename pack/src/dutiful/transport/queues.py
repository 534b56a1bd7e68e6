"""Celery's `task_queues`, in the form that a broker's URL asks for."""

from collections.abc import Iterable

from kombu import Exchange, Queue

from dutiful.transport.rabbitmq import quorum


def task_queues(names: Iterable[str], url: str) -> tuple[Queue, ...]:
    """Quorum queues on RabbitMQ, lists on Redis."""
    if quorum.speaks(url):
        return quorum.queues(names)
    return tuple(Queue(name, Exchange("tasks"), routing_key=name) for name in names)
