"""`manage.py doctor_docs`: docs/doctor.md, made from the kinds in dutiful/doctor/."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from dutiful.doctor import examine
from dutiful.doctor.finding import CATALOGUE, Kind

__all__ = ["examine"]  # with it every kind is declared

INTRO = """# The doctor

Most lost tasks are lost by a setting. `manage.py doctor` compares what this deployment counts on
with what its broker is, and what is configured with what the platform does:

```bash
python manage.py doctor                             # a table; exit code 1 on an error
python manage.py doctor --json                      # one object: broker, findings
python manage.py doctor --scale web=2 worker_io=3   # counts the connections of so many
heroku run python manage.py doctor                  # as the dynos see it
```

It reads `INFO`, `CONFIG GET` and `TIME`, and writes nothing. It looks at the first broker of a
list and at the primary behind Sentinel. Each worker asks it too, once it is ready, in a thread of
its own: findings are log lines (`doctor.E002: …` with `found`, `risk`, `fix`), errors reach
Sentry, and the worker goes on whatever they say.

- **error**: work is being lost or doubled, or will be. Exit code 1.
- **warning**: work is lost or late on a bad day.
- **unknown**: the broker does not say. Managed servers often refuse `CONFIG`; then `INFO` is asked,
  and what neither tells is named, never guessed.

Commands in capitals are for `redis-cli -u "$BROKER_URL"`. `CONFIG SET` is forgotten at the server's
restart: write the same into its redis.conf, or `CONFIG REWRITE`. A `rediss://` server with a
self-signed certificate (Heroku) wants `redis-cli --insecure`.

Of RabbitMQ it sees what a client can: whether it answers, whether the queues are as they should be,
its version. Not looked at: the rest of RabbitMQ, the database, a second Redis for results, and
whether the machine below the server is sound.

Connections are counted from the Procfile: one of each line, on Heroku what `app.json` starts, or
what `--scale` says. A release runs old and new processes side by side, so twice as many.

Made from `dutiful/doctor/` by `manage.py doctor_docs`; a test fails when this page is stale. Each
finding has a test, those about servers on a real one that is ill in that way
(`tests/integration/test_doctor_*.py`, `tests/rabbitmq/`).

| id | severity | what is wrong | what it risks | how to fix it |
|---|---|---|---|---|
"""


def kinds() -> list[Kind]:
    """Errors, then warnings, then what is unknown; by number."""
    return sorted(CATALOGUE, key=lambda kind: ("EWU".index(kind.id[7]), kind.id))


def page() -> str:
    """The whole of docs/doctor.md."""
    rows = (
        f"| `{kind.id}` | {kind.severity} | {kind.title} | {kind.risk} |"
        f" {kind.fix.replace('|', chr(92) + '|')} |\n"
        for kind in kinds()
    )
    return INTRO + "".join(rows)


class Command(BaseCommand):
    help = "Writes docs/doctor.md from dutiful/doctor/."

    def handle(self, *_: Any, **__: Any) -> None:
        (settings.BASE_DIR / "docs" / "doctor.md").write_text(page())
        self.stdout.write("docs/doctor.md")
