"""`manage.py doctor_docs`: docs/doctor.md, made from the kinds in dutiful/doctor/."""

from typing import Any

from django.core.management.base import BaseCommand

from dutiful import env
from dutiful.doctor import examine
from dutiful.doctor.finding import CATALOGUE, Kind

__all__ = ["examine"]  # importing it declares every kind

INTRO = """# The doctor

Most lost tasks are lost by a setting. `manage.py doctor` compares what this deployment counts on
with its broker, and its configuration with its platform:

```bash
python manage.py doctor                             # a table; exit code 1 on an error
python manage.py doctor --json                      # one object: broker, findings
python manage.py doctor --scale web=2 worker_io=3   # counts the connections of so many
heroku run python manage.py doctor                  # as the dynos see it
```

It reads `INFO`, `CONFIG GET` and `TIME`, and writes nothing. It examines the first broker of a
list, and the primary behind Sentinel. Each worker runs it too, once it is ready, in a thread of
its own: findings are log lines (`doctor.E002: …` with `found`, `risk`, `fix`), errors reach
Sentry, and the worker goes on.

- **error**: work is being lost or doubled, or will be. Exit code 1.
- **warning**: work is lost or late in an outage.
- **unknown**: the broker does not show it. Managed servers often refuse `CONFIG`; then `INFO` is
  read, and what neither shows is listed, never guessed.

Commands in capitals are for `redis-cli -u "$BROKER_URL"`. A restart of the server undoes
`CONFIG SET`: write the same into its redis.conf, or `CONFIG REWRITE`. A `rediss://` server with a
self-signed certificate (Heroku) wants `redis-cli --insecure`.

Of RabbitMQ it sees what a client can: whether it answers, its version, and whether its queues have
our arguments. Not examined: the rest of RabbitMQ, the database, a second Redis for results, and the
server's machine.

Connections are counted from the Procfile: one of each line, on Heroku what `app.json` starts, or
what `--scale` gives. A release runs old and new processes side by side, so twice as many.

Made from `dutiful/doctor/` by `manage.py doctor_docs`; a test fails when this page is stale. Each
finding has a test, those about servers on a real one with that problem
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
        (env.ROOT / "docs" / "doctor.md").write_text(page())
        self.stdout.write("docs/doctor.md")
