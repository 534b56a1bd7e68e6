"""A project of the pack's own, with every piece and the default catalogue: "ours" in a drill.

The pack's tests run on it too, so that neither depends on how somebody has customised a template.
"""

from dutiful.drills.host.celery import app as celery_app

__all__ = ["celery_app"]
