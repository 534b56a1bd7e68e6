"""Publishes prepared messages without the outbox: on Celery's connections, with its retries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dutiful.publishing.message import Prepared
from dutiful.transport import brokers


@dataclass
class Direct:
    """For messages of one queue and priority, on the pack's Redis transport."""

    policy: dict[str, Any]
    """A retry policy, as Celery's `task_publish_retry_policy`."""
    declare: list[Any] = field(default_factory=list)
    """Entities that must exist before the publish."""

    def send(self, app: Any, messages: Sequence[Prepared]) -> None:
        """Publishes a thousand messages at most in one command: all of them, or none.

        Raises kombu's OperationalError once the retries are used up. Nobody knows then whether the
        last try arrived; as in Celery a retry may send the messages twice, under the same ids.
        """
        first, texts = messages[0], [message.text for message in messages]
        with app.producer_or_acquire() as producer:
            connection = producer.connection
            # As Producer.publish does: it bounds the tries to connect.
            connection.transport_options.update(self.policy)

            def put() -> None:
                producer.channel.sender.put_many(first.queue, first.priority, texts)

            with connection._reraise_as_library_errors():
                for entity in self.declare:
                    if hash(entity) not in connection.declared_entities:  # kombu asks this late
                        producer.maybe_declare(entity, retry=True, **self.policy)
                connection.ensure(producer, put, **self.policy)()


def supported(app: Any) -> bool:
    """Whether the app's broker is reached by the pack's Redis transport. Connects to nothing."""
    return bool(brokers.of(app.connection_for_write()).publishes_by_script)
