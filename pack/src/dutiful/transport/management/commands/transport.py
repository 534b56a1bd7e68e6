"""`manage.py transport export`: for a deployment that goes back to stock Celery."""

from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from dutiful.transport import brokers
from dutiful.transport.redis.export import Export, LiveOwner


class Command(BaseCommand):
    help = (
        "Puts what dead workers held and what is delayed back into the queues, as stock Celery"
        " keeps it. See `python -m dutiful docs transport`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        export = commands.add_parser("export", help=self.help)
        export.add_argument(
            "--force",
            action="store_true",
            help="also while workers of this transport live: what they hold stays theirs",
        )

    def handle(self, *args: Any, force: bool, **_: Any) -> None:
        try:
            with current_app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1)
                channel = brokers.of(connection).redis_channel(connection)
                if channel is None:
                    raise CommandError(
                        f"the broker's transport is {connection.transport.driver_type}: only the"
                        " Redis transport keeps messages outside of the queues."
                    )
                self._run(Export(channel), force)
        except (OperationalError, RedisError, OSError) as error:
            raise CommandError(
                f"the broker: {error}. Run the same command again: nothing is lost or doubled."
            ) from error

    def _run(self, export: Export, force: bool) -> None:
        try:
            alive = export.live_owners()
            if alive and not force:
                raise CommandError(_refusal(alive))
            done = export.run()
            held = sum(each.held for each in export.live_owners())
            dead = export.dead_letters()
        finally:
            export.close()
        self.stdout.write(
            f"{done.total} messages are in the queues again: {done.claimed} that dead workers"
            f" held, {done.delayed} delayed, {done.suspects} suspects."
        )
        if held:
            self.stdout.write(f"Live workers hold {held} more: stop them and run this again.")
        if dead:
            self.stdout.write(f"{dead} dead letters stay: manage.py deadletters collect.")


def _refusal(alive: list[LiveOwner]) -> str:
    named = ", ".join(
        f"{each.worker} (holds {each.held}, seen {each.refreshed:.0f} s ago)" for each in alive[:5]
    )
    return (
        f"{len(alive)} workers of this transport may be alive: {named}. They would take delayed"
        " messages back. Stop them, or wait for the leases of those that are gone; --force exports"
        " what none of them holds."
    )
