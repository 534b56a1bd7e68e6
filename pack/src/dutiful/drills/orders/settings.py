"""Stock Django's settings for stock Celery, with the database router of Django's manual."""

import os
from typing import Any

from environ import Env

SECRET_KEY = "drills-only"  # noqa: S105  # signs nothing
USE_TZ = True
DATABASES = {
    "default": Env.db_url_config(os.environ["DATABASE_URL"]),
    "replica1": Env.db_url_config(os.environ["REPLICA_URLS"]),
}
DATABASE_ROUTERS = ["dutiful.drills.orders.settings.PrimaryReplicaRouter"]


class PrimaryReplicaRouter:
    """The router of Django's manual: reads go to the replica, writes to the primary."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "replica1"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True
