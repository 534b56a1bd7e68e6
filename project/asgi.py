"""The web process: `gunicorn project.asgi`."""

import os

from django.core.asgi import get_asgi_application

from project import db

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_asgi_application()
db.share(db.WEB_CONNECTIONS)
