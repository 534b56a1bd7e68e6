"""The project's settings with the benchmarks' own tasks."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "tests.benchmarks"]
