"""What a process of monitoring sees, as JSON: `python -m tests.support.own_process`.

Arguments are those of `manage.py check`, the project is that of DJANGO_SETTINGS_MODULE. The process
counts a late run of each queue, evaluates every rule once and asks every page.
"""

import io
import json
import logging
import sys
import time
from typing import Any

import django
from django.core.management import call_command

BROKEN: list[str] = []


class _Errors(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        BROKEN.append(self.format(record))


def command(*words: str) -> str:
    """What `manage.py …` prints."""
    out = io.StringIO()
    try:
        call_command(*words, stdout=out)
    except SystemExit as ended:
        out.write(f"exit {ended.code}")
    return out.getvalue()


def pages() -> dict[str, tuple[int, str]]:
    from django.test import Client

    client = Client()
    names = ("ready", "live", "beat", "queues")
    paths = ["/status/", "/metrics", *(f"/healthz/{name}" for name in names)]
    found = {}
    for path in paths:
        answer = client.get(path, headers={"host": "127.0.0.1"})
        found[path] = answer.status_code, answer.content.decode()
    return found


def rules() -> dict[str, Any]:
    """By key: the text of every finding, bad or not."""
    from dutiful.monitoring.alerts.rules.evaluation import evaluate
    from dutiful.monitoring.monitor.collect import Collector

    collector = Collector()
    collector.collect({})
    seen = evaluate(collector.collect({}))
    return {each.key: each.text for found in seen.values() for each in found or ()}


def count_runs() -> None:
    """One run of each queue that waited a second too long."""
    from dutiful.conf.queues import catalogue
    from dutiful.monitoring.fleet import store
    from dutiful.monitoring.fleet.tally import Tally
    from dutiful.monitoring.link import Link, shared_url

    tally, link = Tally(), Link(shared_url())
    for queue in catalogue():
        wait, took = queue.starts_within + 1.0, queue.runs_within + 1.0
        tally.append(("some.task", queue.name, "succeeded", wait, took, 0.1, 1, 0.1))
    store.add(link.client, link.prefix, tally.take())
    link.close()


def main() -> None:
    django.setup()
    logging.getLogger().addHandler(_Errors(logging.ERROR))
    from dutiful.current import app
    from dutiful.monitoring.history.writer import Writer

    command("check", *sys.argv[1:])
    command("migrate", "--verbosity", "0")
    writer = Writer(app())
    writer.write(time.time() - 60)
    count_runs()
    writer.write(time.time())
    print(
        json.dumps(
            {
                "rules": rules(),
                "pages": pages(),
                "cost": command("cost"),
                "drift": command("drift", "--json"),
                "doctor": command("doctor", "--json"),
                "alert_rules": command("alert_rules"),
                "connections": command("connections", "--json"),
                "errors": BROKEN,
            }
        )
    )


if __name__ == "__main__":
    main()
