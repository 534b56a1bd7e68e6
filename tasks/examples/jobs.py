"""The three jobs, as the pages show them."""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model

from dutiful.catalogue.classes import QueueClass
from dutiful.task.retries import Retry
from tasks.examples.export.models import Export
from tasks.examples.export.tasks import write_export
from tasks.examples.mail.models import Signup
from tasks.examples.mail.tasks import send_signup_mail
from tasks.examples.photo.models import Photo
from tasks.examples.photo.tasks import check_photo


@dataclass(frozen=True)
class Job:
    slug: str
    title: str
    says: str
    button: str
    task: Any
    subject: type[Model]

    @property
    def queue(self) -> QueueClass:
        found: QueueClass = self.task.queue_class
        return found

    @property
    def policy(self) -> Retry:
        # Not `job.task.policy` in a template: Django would call the task.
        found: Retry = self.task.policy
        return found

    @property
    def page(self) -> str:
        """Name of its page's URL."""
        return f"examples:{self.slug}"

    @property
    def controls(self) -> str:
        """Template of its form's fields; expects `form`."""
        return f"examples/{self.slug}_controls.html"

    @property
    def outcome(self) -> str:
        """Template of what came of it; expects `subject` and `run`."""
        return f"examples/{self.slug}_outcome.html"


MAIL: Final = Job(
    "mail",
    "Sign-up mail",
    "Somebody waits for it: urgent and fast. Sent over SMTP, tried again when the server fails.",
    "Send the mail",
    send_signup_mail,
    Signup,
)
EXPORT: Final = Job(
    "export",
    "Export file",
    "200,000 rows as CSV, in little memory. It takes seconds, so it must not hold up the mail.",
    "Write the file",
    write_export,
    Export,
)
PHOTO: Final = Job(
    "photo",
    "Photo check",
    "Format, size, sharpness, near-duplicates. Work for a processor: a worker of its own shape.",
    "Check the photo",
    check_photo,
    Photo,
)
JOBS: Final = (MAIL, EXPORT, PHOTO)
BY_TASK: Final = {job.task.name: job for job in JOBS}
