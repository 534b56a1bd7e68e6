"""`manage.py reroute FROM TO`: moves the backlog of a queue, or of one task, to another queue."""

from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from dutiful.conf.queues import NotInCatalogue
from dutiful.controls import reroute
from dutiful.transport import brokers
from dutiful.transport.redis.reroute import Move

UNAVAILABLE = (OperationalError, RedisError, OSError)


class Command(BaseCommand):
    help = (
        "Moves the waiting messages of a queue to another one. See `python -m dutiful docs drift`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("old", metavar="FROM", help="a queue, also of another deployment")
        parser.add_argument("new", metavar="TO", help="a queue of the catalogue")
        parser.add_argument("--task", default="", help="only this task's messages")
        parser.add_argument("--rate", type=float, help="the most messages a second")

    def handle(
        self, *args: Any, old: str, new: str, task: str, rate: float | None, **_: Any
    ) -> None:
        if rate is not None and rate <= 0:
            raise CommandError(f"--rate is {rate:g}: it must be above zero.")
        try:
            reroute.check(current_app, old, new, task)
        except (reroute.CannotReroute, NotInCatalogue) as error:
            raise CommandError(str(error)) from None
        again = "Run the same command again: nothing is lost or doubled."
        try:
            kept = reroute.outbox(old, new, task)
        except DatabaseError as error:
            raise CommandError(f"the outbox: {error}. {again}") from error
        with current_app.connection_for_write() as connection:
            try:
                move = Move(self._channel(connection), old, new, task, rate)
                self._run(move, kept)
            except UNAVAILABLE as error:
                raise CommandError(f"the broker: {error}. {again}") from error

    def _channel(self, connection: Any) -> Any:
        connection.ensure_connection(max_retries=1)
        channel = brokers.of(connection).redis_channel(connection)
        if channel is None:
            raise CommandError(
                "this command moves messages in Redis only; for RabbitMQ use its shovel plugin"
                " (rabbitmqctl help set_parameter)."
            )
        return channel

    def _run(self, move: Move, kept: int) -> None:
        try:
            for _ in move.run():
                if self.stderr.isatty():
                    self.stderr.write(f"\r{move.parked + move.moved} ", ending="")
            waiting, held = move.left()
        finally:
            move.close()
        self.stdout.write(
            f"{move.moved + move.parked + kept} moved: {move.moved} waiting, {move.parked} delayed,"
            f" {kept} in the outbox."
        )
        self.stdout.write(f"{move.old} has {waiting} waiting, and workers hold {held} of it.")
        if move.arriving:
            self.stdout.write(
                "More arrive: deploy the processes that publish there, then run this again."
            )
        elif held:
            self.stdout.write("Those may be retried or put back there: run this again later.")
