"""The web process of the project: `gunicorn dutiful.drills.host.wsgi --preload`.

With `--preload` an error at start ends gunicorn with one line; without it gunicorn would start its
workers again and again.
"""

import os

from django.core.wsgi import get_wsgi_application

from dutiful.database import connections
from dutiful.task.start import refuse_on_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dutiful.drills.host.settings")

application = get_wsgi_application()
connections.share(connections.WEB_CONNECTIONS)
refuse_on_errors("web")
