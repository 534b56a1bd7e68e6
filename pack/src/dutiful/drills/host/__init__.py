"""The Django project that stands for the pack in drills and benchmarks ("ours").

It has every app of the pack and the default catalogue. The pack's tests run on it too, so that they
do not depend on how a template has been customised.
"""

from dutiful.drills.host.celery import app as celery_app

__all__ = ["celery_app"]
