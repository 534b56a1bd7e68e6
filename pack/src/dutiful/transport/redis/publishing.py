"""Publishing: a message and its bell in one script, on a held connection."""

from functools import cached_property
from typing import Any

from kombu import exceptions
from kombu.utils.json import dumps

from dutiful.transport.message import due_seconds
from dutiful.transport.options import Options
from dutiful.transport.redis import scripts
from dutiful.transport.redis.keys import Keys
from dutiful.transport.redis.script_connection import Call, ScriptConnection

_BatchError: Any = vars(exceptions)["BatchPublishError"]


class Publishing:
    """The half of a channel that sends."""

    options: Options
    pool: Any
    global_keyprefix: str
    _expires: dict[str, int]
    _get_message_priority: Any
    _q_for_pri: Any
    _line: ScriptConnection | None = None

    @cached_property
    def keys(self) -> Keys:
        return Keys(self)

    @property
    def line(self) -> ScriptConnection:
        """This channel's held connection."""
        if self._line is None:
            self._line = ScriptConnection(self.pool)
        return self._line

    def _after_fork(self) -> None:
        self._line = None  # the parent's: its socket must not be touched
        super()._after_fork()  # type: ignore[misc]

    def _disconnect_pools(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
        super()._disconnect_pools()  # type: ignore[misc]

    def create_publish_batch(self, max_size: int) -> "Batch":
        return Batch(self, max_size)

    def _put(
        self,
        queue: str,
        message: dict[str, Any],
        _publish_batch: "Batch | None" = None,
        **kwargs: Any,
    ) -> None:
        call = self.call_for(queue, message, dumps(message))
        if _publish_batch is not None:
            _publish_batch.calls.append(call)
        else:
            self.line.run(*call)
        if queue in self._expires:
            for each in (*self.keys.lists(queue), self.keys.notify(queue)):
                self.line.command("PEXPIRE", each, self._expires[queue])

    def call_for(self, queue: str, message: dict[str, Any], text: str) -> Call:
        """What publishes one message; `text` is its JSON."""
        name = self._q_for_pri(queue, self._get_message_priority(message, reverse=False))
        keys = [self.keys.of_scripts[0], self.keys.whole(name), self.keys.notify(queue)]
        return scripts.PUBLISH, keys, [text, *self._due_words(message, len(name) - len(queue))]

    def put_many(self, queue: str, priority: int, messages: list[str]) -> None:
        """Prepared messages without an eta, in JSON, at most a thousand: all of them, or none."""
        keys = [
            self.keys.of_scripts[0],
            self.keys.list_of(queue, priority),
            self.keys.notify(queue),
        ]
        self.line.run(scripts.PUBLISH_MANY, keys, messages)

    def _due_words(self, message: dict[str, Any], step_size: int) -> list[Any]:
        """What the script needs to park a message that has an eta."""
        headers = message.get("headers")
        due = due_seconds(headers)
        if due is None or headers is None:
            return []
        return [
            f"{due:.6f}",
            message["properties"]["delivery_tag"],
            step_size,
            str(headers.get("id") or ""),
            self.options.poll_seconds,
        ]

    def _purge(self, queue: str) -> Any:
        self.line.command("DEL", self.keys.notify(queue))
        return super()._purge(queue)  # type: ignore[misc]

    def _delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        super()._delete(queue, *args, **kwargs)  # type: ignore[misc]
        self.line.command("DEL", self.keys.notify(queue))


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
                    self.channel.line.run_all(calls)
                for words in fanouts:
                    self.channel.line.command(*words)
            except Exception as error:
                self._failed = error
                raise _BatchError("Redis publish batch failed; delivery is uncertain") from error

    def discard(self) -> None:
        self.calls, self.fanouts, self._open = [], [], False

    def close(self) -> None:
        self._open = False
