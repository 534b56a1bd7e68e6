"""The benchmarks' settings without the counters of runs."""

from tests.benchmarks.settings import *  # noqa: F403
from tests.benchmarks.settings import INSTALLED_APPS as OURS

UNCOUNTED = "tests.benchmarks.unmeasured.Unmeasured"
INSTALLED_APPS = [UNCOUNTED if app == "dutiful.monitoring" else app for app in OURS]
