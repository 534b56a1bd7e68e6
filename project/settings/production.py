"""What production adds, and what it refuses to start with."""

from dutiful import env
from project import storage

SECRET_KEY = env.SECRET_KEY.get()
if not SECRET_KEY:
    raise env.EnvError("SECRET_KEY is not set. Production needs one of 50 or more random letters.")
if env.DEBUG.get():
    raise env.EnvError("DEBUG=1 shows your settings to strangers. Unset it in production.")
if not env.broker_url():
    raise env.EnvError("BROKER_URL (or REDIS_URL) is not set. Production brings its own broker.")
if not env.ALLOWED_HOSTS.get():
    raise env.EnvError("ALLOWED_HOSTS is not set. Name the hosts that production answers to.")
storage.refuse_local_files_on_heroku()

SECURE_SSL_REDIRECT = env.SITE_URL.get().startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 30 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Load balancers and Prometheus ask for these over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^metrics$"]
