"""The benchmarks' settings without the fleet's counters."""

from tests.benchmarks.settings import *  # noqa: F403
from tests.benchmarks.settings import INSTALLED_APPS as OURS

COUNTLESS = "tests.benchmarks.unmeasured.Unmeasured"
INSTALLED_APPS = [COUNTLESS if app == "monitoring" else app for app in OURS]
