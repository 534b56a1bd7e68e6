"""Where Celery looks for this app's tasks; each lies with its example.

The names begin with `examples.` and stay as they are when files move: messages carry them.
"""

from tasks.examples.export.tasks import write_export
from tasks.examples.kill.tasks import interrupted
from tasks.examples.mail.tasks import send_signup_mail
from tasks.examples.mail.webhook import tell_signup
from tasks.examples.photo.tasks import check_photo

__all__ = ["check_photo", "interrupted", "send_signup_mail", "tell_signup", "write_export"]
