"""Normal load, and a deploy of everything in the midst of it: not one alert.

The rules' times are half of their own, since a loaded machine starts a worker in ten seconds: a
deploy's gap that is too long for them would show.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from dutiful.testing.processes import Running, manage, wait_for
from tests.support.monitored import monitored

SECONDS = 45
LOAD = """
import time
from tests.support.jobs import say
from dutiful.conf.queues import names
while True:
    for _ in range(5):
        say.delay("x")
    for queue in names():
        say.apply_async(("x",), queue=queue)
    time.sleep(0.5)
"""


@pytest.mark.django_db(transaction=True)
def test_a_deploy_under_load_is_no_alert(start: Callable[..., Running], tmp_path: Path) -> None:
    with monitored(start, tmp_path, speed=2) as world:
        profiles = ("io", "compute")
        workers = [world.worker("--profile", profile) for profile in profiles]
        beat = world.beat()
        monitor = world.monitor()
        load = world._start(manage("shell", "-v0", "-c", LOAD), world.environment)
        began = time.monotonic()
        time.sleep(8)
        # As a platform does: all old ones are told to stop, and the new ones start.
        steps: list[Callable[[], object]] = [partial(old.stop, 30) for old in (*workers, beat)]
        steps += [partial(world.worker, "--profile", profile) for profile in profiles]
        with ThreadPoolExecutor() as pool:
            for step in [pool.submit(step) for step in (*steps, world.beat)]:
                step.result()
        monitor.stop()
        world.monitor()
        while time.monotonic() - began < SECONDS:
            assert load.popen.poll() is None, load.log
            time.sleep(0.5)
        waiting = {name: world.client.llen(name) for name in ("urgent_fast", "relaxed_slow")}
        assert max(waiting.values()) < 100, waiting
        assert world.hook.fired == []
        wait_for("the outside hears", lambda: world.switch.got)
        assert [got.path for got in world.switch.got if got.path == "/hook/fail"] == []
