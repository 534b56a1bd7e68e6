"""The settings of dutiful.drills.host with the benchmarks' own tasks."""

from dutiful.drills.host.settings import *  # noqa: F403
from dutiful.drills.host.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "tests.benchmarks"]
