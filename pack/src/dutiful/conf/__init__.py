"""`DUTIFUL`, the pack's one dictionary in the Django settings: read once, checked once.

    DUTIFUL = {
        "QUEUES": "tasks.queues.QUEUES",
        "PROFILES": "workers.profiles.PROFILES",
        "SCHEDULE": "beat.schedule.SCHEDULE",
    }

Every key has a default, so an empty dictionary works. `options` says what each key is, `read`
checks them and names the file and the line to change, and `conf()` is the result.
"""

from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from dutiful.conf.options import Conf
from dutiful.conf.read import read

__all__ = ["Conf", "conf"]


@lru_cache(maxsize=1)
def conf() -> Conf:
    """The validated settings of this process. Raises ImproperlyConfigured, naming what to
    change.
    """
    from django.conf import settings

    return read(getattr(settings, "DUTIFUL", {}))


def _forget(setting: str, **_: Any) -> None:
    if setting == "DUTIFUL":
        conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="dutiful.conf")
