"""After ordinary changes the template's tests and checks still pass, or say what is wrong."""

import re
import sys
from pathlib import Path

import pytest

from tests.template.clones import edit, manage, template, tried

__all__ = ["template"]
pytestmark = pytest.mark.timeout(400)

QUEUES, PROFILES, SCHEDULE = "tasks/queues.py", "workers/profiles.py", "beat/schedule.py"
APPS = "project/settings/apps.py"
LAST_QUEUE = """    QueueClass(
        Urgency.RELAXED, Runtime.SLOW, Bound.COMPUTE, starts_within=HOUR, runs_within=30 * MINUTE
    ),
)
"""
GPU_QUEUE = """    QueueClass(
        Urgency.AVERAGE, Runtime.SLOW, "gpu", starts_within=5 * MINUTE, runs_within=5 * MINUTE
    ),
)
"""
GPU_PROFILE = """GPU: Final = Profile(
    name="gpu",
    pool="prefork",
    slots=1,
    memory=4096 * MB,
    queues=(Served("average_slow_gpu", share=1.0),),
)

PROFILES: Final = {  # WORKER_PRESET chooses
    "standard": (IO, COMPUTE, GPU),
"""
SMALL = "        replace(COMPUTE, slots=1, memory=448 * MB, tasks_per_child=2_000),\n"
COMPUTE_SERVICE = """    command: celery -A project worker --profile compute
    healthcheck: *alive
    mem_limit: 2g
"""
GPU_SERVICE = """
  worker_gpu:
    <<: *app
    command: celery -A project worker --profile gpu
    healthcheck: *alive
    mem_limit: 4g
"""


def heartbeat(queue: str, seconds: int) -> str:
    return f"""    Entry(
        name="heartbeat-{queue}",
        task="dutiful.beat.heartbeat",
        cron="* * * * *",
        queue="{queue}",
        expires={seconds},
    ),
"""


def schedule(template: Path, queue: str, seconds: int) -> None:
    """Adds the heartbeat of a queue at the end."""
    file = template / SCHEDULE
    assert file.read_text().endswith("),\n)\n")
    file.write_text(file.read_text()[:-2] + heartbeat(queue, seconds) + ")\n")


def passes(template: Path) -> None:
    """The template's own tests pass; one of them runs the checks."""
    words = ["-m", "pytest", "-q", "tests", "--ignore=tests/containers"]
    ended = tried([sys.executable, *words], template)
    assert ended.returncode == 0, ended.stdout


def refused(template: Path) -> str:
    """What `check` says."""
    ended = manage(template, "check", "--fail-level", "WARNING")
    assert ended.returncode == 1
    return ended.stderr


def gpu(template: Path) -> None:
    """A bound of the project's own, and a third profile for it."""
    edit(template / QUEUES, LAST_QUEUE, LAST_QUEUE[:-2] + GPU_QUEUE)
    text = (template / PROFILES).read_text()
    head = text.partition("PROFILES: Final")[0]
    rest = text.partition('    "standard": (IO, COMPUTE),\n')[2]
    (template / PROFILES).write_text(head + GPU_PROFILE + rest)
    edit(template / PROFILES, SMALL, f"{SMALL}        GPU,\n")
    schedule(template, "average_slow_gpu", 300)


def test_a_queue_that_is_added(template: Path) -> None:
    new = "    QueueClass(Urgency.URGENT, Runtime.SLOW, Bound.IO, 20, 45),\n"
    edit(template / QUEUES, LAST_QUEUE, LAST_QUEUE[:-2] + new + ")\n")
    served = '        Served("average_slow", share=0.3),\n'
    edit(template / PROFILES, served, f'        Served("urgent_slow", share=0.5),\n{served}')
    schedule(template, "urgent_slow", 60)
    ended = manage(template, "newtask", "pay", "--urgency", "urgent", "--runtime", "slow")
    assert "Runs on urgent_slow." in ended.stdout, ended.stderr
    passes(template)


def test_a_queue_whose_promise_is_changed(template: Path) -> None:
    edit(
        template / QUEUES,
        "starts_within=MINUTE, runs_within=10)",
        "starts_within=90, runs_within=7)",
    )
    passes(template)


def test_a_queue_that_is_removed_even_average_fast(template: Path) -> None:
    """The examples declare tasks of it; they are removed first."""
    edit(template / APPS, _line(template / APPS, '"tasks.examples"'), "")
    edit(template / QUEUES, _line(template / QUEUES, "Urgency.AVERAGE, Runtime.FAST"), "")
    edit(template / PROFILES, _line(template / PROFILES, '"average_fast"'), "")
    edit(template / SCHEDULE, heartbeat("average_fast", 60), "")
    passes(template)


def test_a_bound_of_ones_own_with_a_third_profile(template: Path) -> None:
    gpu(template)
    compute = "worker_compute: celery -A project worker --profile compute\n"
    edit(template / "Procfile", compute, compute + compute.replace("compute", "gpu"))
    compose = template / "docker" / "compose.yaml"
    edit(compose, COMPUTE_SERVICE, COMPUTE_SERVICE + GPU_SERVICE)
    edit(
        template / "docker" / "prometheus.yml",
        "[worker_io, worker_compute]",
        "[worker_io, worker_compute, worker_gpu]",
    )
    ended = manage(
        template, "newtask", "draw", "--urgency", "average", "--runtime", "slow", "--bound", "gpu"
    )
    assert "Runs on average_slow_gpu." in ended.stdout, ended.stderr
    words = ["-m", "celery", "-A", "project", "worker", "--help"]
    assert "Worker profile: io, compute, gpu." in tried([sys.executable, *words], template).stdout
    passes(template)


def test_a_profile_that_no_file_starts_is_a_warning_with_what_to_add(template: Path) -> None:
    gpu(template)
    said = refused(template)
    assert "Procfile: (dutiful.W301) no line starts worker profile gpu, which serves" in said
    assert "Add the line `worker_gpu: celery -A project worker --profile gpu`." in said
    assert "docker/compose.yaml: (dutiful.W301) no line starts worker profile gpu" in said
    assert "Add a service `worker_gpu` like the other workers" in said
    assert said.count("dutiful.W301") == 2


def test_a_line_of_no_profile_is_a_warning(template: Path) -> None:
    edit(template / "Procfile", "--profile compute", "--profile computer")
    said = refused(template)
    assert "Procfile:4: (dutiful.W302) no worker profile fits this line" in said
    assert "The profiles (workers/profiles.py) are io, compute." in said
    assert "no line starts worker profile compute" in said


def test_a_line_may_name_queues_in_place_of_a_profile(template: Path) -> None:
    edit(template / "Procfile", "--profile compute", "-Q average_slow_compute")
    assert manage(template, "check", "--fail-level", "WARNING").returncode == 0


def test_a_queue_that_no_profile_serves_is_an_error(template: Path) -> None:
    text = (template / PROFILES).read_text()
    (template / PROFILES).write_text(
        text.replace('        Served("relaxed_slow_compute", share=0.5),\n', "")
    )
    said = refused(template)
    assert re.search(r"profiles\.py:\d+: no profile of 'standard' serves relaxed_slow_c", said)


def test_a_queue_name_twice_is_an_error(template: Path) -> None:
    edit(template / QUEUES, LAST_QUEUE, LAST_QUEUE[:-2] + LAST_QUEUE)
    said = refused(template)
    assert re.search(r"tasks/queues\.py:\d+: 2 queues have the name relaxed_slow_compute", said)


def _line(file: Path, part: str) -> str:
    (found,) = [line for line in file.read_text().splitlines(keepends=True) if part in line]
    return found
