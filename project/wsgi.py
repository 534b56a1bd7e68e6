"""The web process: `gunicorn project.wsgi --preload`.

With `--preload` what is wrong ends gunicorn with one line; without, it would start its workers
again and again.
"""

import os

from django.core.wsgi import get_wsgi_application

from project import db
from tasks.start import refuse_on_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()
db.share(db.WEB_CONNECTIONS)
refuse_on_errors("web")
