"""dutiful.W001 to W009: what each finds, and what it does not find."""

import pytest

from tests.support.lint import Findings

pytest_plugins = ["tests.support.lint_fixtures"]
PLAIN = 'urgency="average", runtime="fast"'


def test_w001_a_mutable_class_attribute(found: Findings) -> None:
    source = """
        from typing import Final
        class Mixin:
            seen = []
            retry_kwargs = {"max_retries": 3}
            fixed: Final = {"a": 1}
            names = ("a", "b")
        class Base(Mixin, Task):
            cache = dict()
        @task(urgency="average", runtime="fast", base=Base)
        def one() -> None:
            "Done."
    """
    assert found(source) == ["W001:4", "W001:9"]


def test_w002_many_parameters(found: Findings) -> None:
    source = """
        @task(urgency="average", runtime="fast", bind=True)
        def four(self, a: int, b: int, c: int, *, d: int = 0) -> None:
            "Done."
        @task(urgency="average", runtime="fast")
        def five(a: int, b: int, c: int, d: int, e: int) -> None:
            "Done."
        @task(urgency="average", runtime="fast")
        def some(*pks: int) -> None:
            "Done."
    """
    assert found(source) == ["W002:6", "W002:9"]


def test_w003_a_mutable_default(found: Findings) -> None:
    source = """
        @task(urgency="average", runtime="fast")
        def one(a: list = [], *, b: dict = dict(), c: tuple = ()) -> None:
            "Done."
    """
    assert found(source) == ["W003:3", "W003:3"]


def test_w004_no_docstring(found: Findings) -> None:
    source = """
        @task(urgency="average", runtime="fast")
        def one() -> None:
            return None
        class Two(Task):
            "Done."
            name, urgency, runtime = "two", "average", "fast"
            def run(self) -> None:
                return None
        from celery import current_app
        current_app.register_task(Two())
    """
    assert found(source) == ["W004:3"]


def test_w005_a_name_that_was_not_given(found: Findings) -> None:
    source = """
        @task(urgency="average", runtime="fast", name="given")
        def one() -> None:
            "Done."
        @task(urgency="average", runtime="fast")
        def two() -> None:
            "Done."
        def three() -> None:
            "Done."
        three.__module__ = "other.path"
        from celery import shared_task
        def under(function):
            function.__module__ = "another." + function.__module__
            made = task(urgency="average", runtime="fast")(function)
            made.name
            function.__module__ = function.__module__.removeprefix("another.")
            return made
        @under
        def four() -> None:
            "Done."
    """
    assert found(source) == ["W005:19"]


def test_w005_a_file_that_is_imported_by_two_paths(found: Findings) -> None:
    source = """
        import sys
        from importlib.util import module_from_spec, spec_from_file_location
        @task(urgency="average", runtime="fast")
        def one() -> None:
            "Done."
        if __name__ == "{shop}.tasks":
            spec = spec_from_file_location("zz.{shop}.tasks", __file__)
            sys.modules[spec.name] = module_from_spec(spec)
            spec.loader.exec_module(sys.modules[spec.name])
    """
    assert found(source) == ["W005:5"]


def test_w006_a_session_of_the_module(found: Findings) -> None:
    source = """
        import requests_like as requests
        from {shop}.net import session as web, limit
        session = requests.Session()
        @task(urgency="average", runtime="fast")
        def one(url: str) -> None:
            "Done."
            session.get(url, timeout=limit)
            web.get(url, timeout=3)
            with requests.Session() as mine:
                mine.get(url, timeout=3)
    """
    like = source.replace("requests_like as requests", "http.client as requests")
    like = like.replace("requests.Session()", "requests.HTTPConnection('', timeout=1)")
    net = "from http.client import HTTPSConnection\nsession = HTTPSConnection('')\nlimit = 3\n"
    assert found(like, net=net) == ["W006:8", "W006:9"]


CALLS = {
    "requests.get(url)": True,
    "requests.post(url, timeout=None)": True,
    "requests.post(url, timeout=3)": False,
    "requests.get(url, **options)": False,
    "get(url)": True,
    "requests.Session().get(url)": True,
    "session.put(url)": True,
    "session.put(url, timeout=3)": False,
    "MODULE.get(url)": True,
    "httpx.get(url)": False,
    "httpx.get(url, timeout=None)": True,
    "httpx.Client(timeout=None)": True,
    "urlopen(url)": True,
    "urlopen(url, None, 3)": False,
    "urllib.request.urlretrieve(url, 'file')": True,
    "socket.create_connection((url, 1))": True,
    "socket.create_connection((url, 1), 3)": False,
    "smtplib.SMTP(url)": True,
    "smtplib.SMTP(url, 25, timeout=3)": False,
    "bare = socket.socket()": True,
    "known = socket.socket(); known.settimeout(3)": False,
    "options.get(url)": False,
}


@pytest.mark.parametrize("call", CALLS)
def test_w007_a_call_without_a_timeout(found: Findings, call: str) -> None:
    # Only read, never run: the libraries need not be there.
    source = f"""
        import smtplib, socket, urllib.request
        from urllib.request import urlopen
        try:
            import httpx, requests
            from requests import get
            MODULE = requests.Session()
        except ImportError:
            pass
        @task({PLAIN})
        def one(url: str, options: dict) -> None:
            "Done."
            with requests.Session() as session:
                {call}
    """
    expected = ["W007:14"] if CALLS[call] else []
    assert [each for each in found(source) if not each.startswith("W006")] == expected


def test_w008_a_policy_that_waits_too_long(found: Findings) -> None:
    source = """
        from dutiful.task.retries import PATIENT, STEADY, Retry
        @task(urgency="urgent", runtime="fast", retry_policy=STEADY)
        def slow() -> None:
            "Done."
        @task(urgency="average", runtime="fast", retry_policy=Retry(times=30))
        def slower() -> None:
            "Done."
        @task(urgency="relaxed", runtime="slow", retry_policy=PATIENT)
        def right() -> None:
            "Done."
    """
    assert found(source) == ["W008:4", "W008:7"]


def test_w009_a_silence_that_is_none(found: Findings) -> None:
    source = """
        count = 0  # dutiful: ignore[E006] nothing to silence here
        @task(urgency="average", runtime="fast")
        def one(a: list = []) -> None:  # dutiful: ignore[W003]
            "# dutiful: ignore[W003] is what to write"
            global count; count = 1  # dutiful: ignore[dutiful.E006, W999] there is one thread
        @task(urgency="average", runtime="fast")  # dutiful: ignore[W003] it is only read
        def two(
            a: list = [],
        ) -> None:
            "Done."
            global count; count = 2  # dutiful: ignore
    """
    assert found(source) == ["W009:2", "W009:4", "W009:6", "E006:12", "W009:12"]
