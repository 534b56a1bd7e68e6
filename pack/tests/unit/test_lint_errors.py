"""dutiful.E003 to E008: what each finds, and what it does not find."""

import pytest
from django.apps import apps

from tests.support.lint import Findings, Shop

pytest_plugins = ["tests.support.lint_fixtures"]


def test_e003_an_enqueue_inside_atomic_that_opts_out(found: Findings) -> None:
    views = """
        from django.db import transaction
        from dutiful.publishing.batch import enqueue_many, publish_batch
        from {shop}.tasks import direct, kept

        def view(pk):
            with transaction.atomic():
                kept.apply_async((pk,), outbox=False)
                direct.delay(pk)
                kept.delay(pk)
                transaction.on_commit(lambda: direct.delay(pk))
            direct.delay(pk)

        @transaction.atomic
        def other(pk):
            if pk:
                kept.apply_async((pk,), outbox=False)
                publish_batch(kept, [(pk,)])
                enqueue_many(kept, [(pk,)])
                enqueue_many(direct, [(pk,)])
    """
    tasks = """
        @task(urgency="average", runtime="fast", outbox=False)
        def direct(pk: int) -> None:
            "Sent."

        @task(urgency="average", runtime="fast")
        def kept(pk: int) -> None:
            "Sent."
    """
    assert found(tasks, views=views) == [f"E003:{line}" for line in (7, 8, 16, 17, 19)]


def test_e003_without_the_outbox_every_enqueue_inside_atomic(
    found: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "dutiful.outbox")
    views = """
        from django.db import transaction as t
        from {shop} import tasks
        class View:
            def post(self, pk):
                with t.atomic("default"):
                    tasks.kept.delay(pk)
                    tasks.kept.delay_on_commit(pk)
    """
    tasks = """
        @task(urgency="average", runtime="fast")
        def kept(pk: int) -> None:
            "Sent."
    """
    assert found(tasks, views=views) == ["E003:6"]


def test_e004_a_model_instance_as_a_parameter(found: Findings) -> None:
    source = """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from django.contrib.auth.models import User
        import django.contrib.auth.models as auth
        @task(urgency="average", runtime="fast")
        def one(user: "User", pk: int) -> None:
            "Greeted."
        @task(urgency="average", runtime="fast")
        def many(users: list[auth.User]) -> None:
            "Greeted."
        @task(urgency="average", runtime="fast")
        def right(user_pk: int, text: str | None = None) -> None:
            "Greeted."
    """
    assert found(source) == ["E004:7", "E004:10"]


def test_e005_state_of_a_module_or_of_the_task_changed(found: Findings) -> None:
    source = """
        import threading; from {shop}.state import SEEN
        CACHE = {}
        LOCK = threading.Lock()
        @task(urgency="average", runtime="fast", bind=True)
        def changes(self, pk: int) -> None:
            "Noted."
            CACHE[pk] = 1
            SEEN.add(pk)
            self.last = pk
            helper(pk)
            with LOCK:
                CACHE[pk] = 2
        def helper(pk):
            CACHE.update({pk: 2})
        def nobody(pk):
            CACHE.clear()
        @task(urgency="average", runtime="fast")
        def reads(pk: int) -> int:
            "Read."
            CACHE = {}
            CACHE[pk] = 1
            found = {}
            found[pk] = SEEN
            return 1
    """
    assert found(source, state="SEEN = set()\n") == ["E005:8", "E005:9", "E005:10", "E005:15"]


def test_e006_global(found: Findings) -> None:
    source = """
        count = 0
        @task(urgency="average", runtime="fast")
        def counts() -> None:
            "Counted."
            global count
            count += 1
            once()
        backend = None
        def once():
            global backend
            if backend is None:
                with lock:
                    backend = backend or object()
    """
    assert found(source) == ["E006:6"]


def test_e007_an_attribute_of_an_imported_module_or_class(found: Findings) -> None:
    source = """
        import json
        from django.conf import settings
        from decimal import Decimal as Number
        class Here:
            pass
        class Thing:
            pass
        @task(urgency="average", runtime="fast")
        def sets() -> None:
            "Set."
            json.loads = None
            settings.DEBUG = True
            Here.limit = 3
            setattr(Number, "x", 1)
            thing = Thing()
            thing.limit = 3
            json = Thing()
    """
    # `json` is a local name there: Python says so itself.
    assert found(source) == ["E007:13", "E007:14", "E007:15"]


def test_e008_what_all_threads_share(found: Findings) -> None:
    source = """
        import locale, os, socket
        from os import chdir, environ as env
        @task(urgency="average", runtime="fast")
        def changes(path: str) -> None:
            "Done."
            locale.setlocale(locale.LC_ALL, "de_DE")
            locale.setlocale(locale.LC_ALL)
            chdir(path)
            os.environ["TZ"] = "UTC"
            env.update(TZ="UTC")
            os.putenv("A", "b")
            socket.setdefaulttimeout(3)
            os.environ.get("TZ")
    """
    assert found(source) == [f"E008:{line}" for line in (7, 9, 10, 11, 12, 13)]


@pytest.mark.parametrize("reason", ["", "# dutiful: ignore[E006] one process, one thread"])
def test_a_finding_says_what_where_and_what_to_do(shop: Shop, reason: str) -> None:
    source = f"""
        count = 0
        @task(urgency="average", runtime="fast")
        def counts() -> None:
            "Counted."
            helper()
        def helper():
            global count {reason}
            count += 1
    """
    findings = shop(source)
    if reason:
        assert findings == []
        return
    (finding,) = findings
    message = str(finding.message(finding.module.path.parents[1]))
    name = finding.module.path.parent.name
    assert message == (
        f"{name}/tasks.py:8: (dutiful.E006) global count in {name}.tasks.helper,"
        f" which {name}.tasks.counts runs.\n"
        "\tHINT: Return the value, or keep it in the database or the cache."
    )
