"""Publishing: a message and its queue's notify list in one script, on a held connection."""

from typing import Any

from kombu import exceptions
from kombu.utils.json import dumps

from dutiful.transport.message import due_seconds
from dutiful.transport.redis import scripts
from dutiful.transport.redis.script_connection import Call

_BatchError: Any = vars(exceptions)["BatchPublishError"]


class Sender:
    """The half of a channel that writes messages to queues."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def put(self, queue: str, message: dict[str, Any], batch: "Batch | None" = None) -> None:
        """Publishes one prepared message, or keeps it in a batch. Raises redis errors."""
        channel = self._channel
        call = self.call_for(queue, message, dumps(message))
        if batch is not None:
            batch.calls.append(call)
        else:
            channel.script_connection.run(*call)
        if queue in channel._expires:
            for each in (*channel.keys.lists(queue), channel.keys.notify(queue)):
                channel.script_connection.command("PEXPIRE", each, channel._expires[queue])

    def call_for(self, queue: str, message: dict[str, Any], text: str) -> Call:
        """The call that publishes one message; `text` is its JSON."""
        channel = self._channel
        priority = channel._get_message_priority(message, reverse=False)
        keys = self.keys_for(queue, priority)
        step = len(keys[1]) - len(channel.keys.whole(queue))
        return scripts.PUBLISH, keys, [text, *self._due(message, step)]

    def put_many(self, queue: str, priority: int, messages: list[str]) -> None:
        """Prepared messages without an eta, in JSON, at most a thousand: all of them, or none."""
        keys = self.keys_for(queue, priority)
        self._channel.script_connection.run(scripts.PUBLISH_MANY, keys, messages)

    def keys_for(self, queue: str, priority: int) -> list[str]:
        """The keys of the scripts that publish."""
        keys = self._channel.keys
        return [keys.of_scripts[0], keys.list_of(queue, priority), keys.notify(queue)]

    def _due(self, message: dict[str, Any], step: int) -> list[Any]:
        """What the script needs to park a message that has an eta."""
        headers = message.get("headers")
        due = due_seconds(headers)
        if due is None or headers is None:
            return []
        return [
            f"{due:.6f}",
            message["properties"]["delivery_tag"],
            step,
            str(headers.get("id") or ""),
            self._channel.options.poll_seconds,
        ]


class Batch:
    """kombu's publish batch (`Producer.batch`): several messages in one packet.

    Not a transaction: after an error nobody knows which of them arrived.
    """

    def __init__(self, channel: Any, max_size: int) -> None:
        self.channel, self.max_size = channel, max_size
        self.calls: list[Call] = []
        self.fanouts: list[tuple[Any, ...]] = []
        self._failed: BaseException | None = None
        self._open = True

    def publish(self, message: dict[str, Any], **kwargs: Any) -> Any:
        """Routes one prepared message and keeps its commands. Raises BatchPublishError."""
        if self._failed is not None:
            raise _BatchError("a batch cannot go on after a failure") from self._failed
        if not self._open:
            raise RuntimeError("this batch is closed")
        answer = self.channel.basic_publish(message, _publish_batch=self, **kwargs)
        if len(self.calls) + len(self.fanouts) >= self.max_size:
            self.flush()
        return answer

    def add(self, name: str, *args: Any) -> None:
        """A fanout's PUBLISH, sent after the queues' messages."""
        self.fanouts.append((name.upper(), self.channel.keys.whole(args[0]), *args[1:]))

    def flush(self) -> None:
        calls, self.calls = self.calls, []
        fanouts, self.fanouts = self.fanouts, []
        if calls or fanouts:
            try:
                if calls:
                    self.channel.script_connection.run_all(calls)
                for words in fanouts:
                    self.channel.script_connection.command(*words)
            except Exception as error:
                self._failed = error
                raise _BatchError("Redis publish batch failed; delivery is uncertain") from error

    def discard(self) -> None:
        self.calls, self.fanouts, self._open = [], [], False

    def close(self) -> None:
        self._open = False
