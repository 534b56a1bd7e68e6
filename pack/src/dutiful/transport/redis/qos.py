"""What Celery's consumer asks of a channel: may it have more, and what became of a message."""

from typing import Any

from kombu.transport import virtual

_QoS: Any = virtual.QoS


class QoS(_QoS):
    """Room and settlements of the process's owner. Nothing is restored by a lost connection."""

    restore_at_shutdown = False

    def can_consume(self) -> bool:
        return bool(self.channel.capacity.of([])[0] > 0)

    def can_consume_max_estimate(self) -> int:
        return int(max(self.channel.capacity.of([])[0], 0))

    def append(self, message: Any, delivery_tag: str) -> None:
        """The claim has noted the message already, in one step with the pop."""

    def get(self, delivery_tag: str) -> Any:
        held = self.channel.owner and self.channel.owner.get(delivery_tag)
        if held is None or held.message is None:
            raise KeyError(delivery_tag)
        return held.message

    def ack(self, delivery_tag: str) -> None:
        self.channel.settle("ack", delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self.channel.settle("again" if requeue else "ack", delivery_tag)

    def restore_unacked(self, *_: Any) -> list[Any]:
        """`basic_recover`: all that this channel has not settled goes back."""
        self.channel.give_back_all()
        return []

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """A closed channel keeps what runs; see dutiful.transport.redis.owner.Owner.abandoned."""
        self._on_collect.cancel()

    def restore_visible(self, *_: Any, **__: Any) -> None:
        """The heartbeat does it (dutiful/transport/redis/stock.py), whatever the loop is at."""
