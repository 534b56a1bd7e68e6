"""The web process: `gunicorn project.asgi`."""

import os

from django.core.asgi import get_asgi_application

from dutiful.database import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_asgi_application()
connections.share(connections.WEB_CONNECTIONS)
