"""Settings less the apps of WITHOUT (separated by commas); with GONE=1 their folders are gone too.

The drills are left out always: they use every piece.
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from dutiful.drills.host.settings import *  # noqa: F403
from dutiful.drills.host.settings import DUTIFUL as HOSTS
from dutiful.drills.host.settings import INSTALLED_APPS as ALL
from dutiful.drills.host.settings import MIDDLEWARE as OURS

WITHOUT = os.environ["WITHOUT"].split(",")


class _Gone(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if any(f"{name}.".startswith(f"{gone}.") for gone in WITHOUT):
            raise ModuleNotFoundError(f"{name} is gone", name=name)
        return None


if os.environ.get("GONE") == "1":
    sys.meta_path.insert(0, _Gone())

INSTALLED_APPS = [app for app in ALL if app not in (*WITHOUT, "dutiful.drills")]
MIDDLEWARE = [name for name in OURS if not name.startswith(tuple(WITHOUT))]
DUTIFUL = {**HOSTS, "APP": "dutiful.drills.host.celery.app"}
