"""When a queue is drained, and how many more workers that takes."""

import pytest

from dutiful.catalogue.defaults import COMPUTE, IO
from dutiful.monitoring import forecast
from tests.support.snapshots import snapshot


def of(**changes: float) -> forecast.Forecast:
    usual = {"depth": 600, "arrivals": 10.0, "departures": 20.0, "workers": 1, "of_profile": 1}
    return forecast.forecast(**{**usual, **changes}, profile=IO, promise=60)  # type: ignore[arg-type]


def test_a_queue_that_shrinks_within_its_promise_needs_nobody() -> None:
    found = of()
    assert found.drained_in == pytest.approx(60)
    assert found.more == 0
    assert found.commands == ()
    assert found.text == "At the present rates it is drained in 1 min."


def test_one_that_grows_is_never_drained_and_names_the_command() -> None:
    found = of(arrivals=50.0, departures=20.0)
    assert found.drained_in is None
    # 50 arrive a second, 80 % busy: 62.5; and 600 in a minute: 10. Each worker takes 20.
    assert found.more == 3
    assert found.text == (
        "At the present rates it is drained never; it needs 3 more workers of profile io."
    )
    assert found.commands == (
        "heroku ps:scale worker_io=4",
        "docker-compose -f docker/compose.yaml up -d --scale worker_io=4",
        "celery -A dutiful.drills.host worker --profile io --concurrency 400",
    )


def test_one_that_drains_too_late_needs_some() -> None:
    found = of(depth=6000, arrivals=10.0, departures=20.0)
    assert found.drained_in == pytest.approx(600)
    assert found.more == 5


def test_where_nothing_leaves_one_more_is_all_that_can_be_said() -> None:
    assert of(departures=0.0, workers=0, of_profile=0).more == 1
    assert "heroku ps:scale worker_io=1" in of(departures=0.0, workers=0, of_profile=0).commands
    assert of(depth=0).text == "It is drained."


def test_the_first_worker_of_a_queue() -> None:
    assert (
        forecast.start_one("relaxed_slow_compute", snapshot(), (IO, COMPUTE))[0]
        == "heroku ps:scale worker_compute=1"
    )
    assert forecast.commands(COMPUTE, 0, 0) == ()
