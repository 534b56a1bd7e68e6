"""Every exception reaches a tracker (tip 9), and no personal data does.

What leaves: the exception, its stack without variables, where it ran, and the tags environment,
release, urgency, queue and task. Without SENTRY_DSN nothing is sent, or even loaded.
"""

import re
from typing import Any, Final

from project import env

_MAIL: Final = re.compile(r"[^\s@<>\"'(=]+@[^\s@<>\"')]+\.[\w-]+")
_LOST: Final = ("Task handler raised error", "Hard time limit")
"""How Celery's log begins where it says, without its task, what `_report_lost` says with it."""
_CREDENTIALS: Final = re.compile(r"://[^\s/@]*@")


def start() -> None:
    """Called where the settings end: so by web, workers, beat and commands alike."""
    if not env.SENTRY_DSN.get():
        return
    import sentry_sdk
    from celery import signals
    from sentry_sdk.integrations.argv import ArgvIntegration
    from sentry_sdk.integrations.celery import CeleryIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import ignore_logger

    sentry_sdk.init(
        dsn=env.SENTRY_DSN.get(),
        environment=env.ENVIRONMENT.get(),
        release=env.RELEASE.get() or None,
        integrations=[DjangoIntegration(), CeleryIntegration(monitor_beat_tasks=True)],
        disabled_integrations=[ArgvIntegration()],  # flags may hold a password
        send_default_pii=False,
        include_local_variables=False,  # a task's arguments are its variables
        max_request_body_size="never",
        max_breadcrumbs=0,  # log lines and queries; the logs have them, by task id
        server_name="",  # a developer's machine has a person's name
        auto_session_tracking=False,
        before_send=scrub,
    )
    # These say that a task failed or a child died; the exception says why.
    ignore_logger("monitoring.runs")
    ignore_logger("multiprocessing")
    signals.task_prerun.connect(_tag)
    signals.task_failure.connect(_report_lost)


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    """The event without what could be personal or secret; None for one that is told already.

    `before_send` of the SDK.
    """
    record = hint.get("log_record")
    if record is not None and str(record.msg).startswith(_LOST):
        return None
    for part in ("user", "extra", "breadcrumbs"):
        event.pop(part, None)
    if "request" in event:
        # Its path may hold a token; the transaction's name is the route instead.
        event["request"] = {"method": event["request"].get("method")}
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = mask(str(error.get("value") or ""))
    if "logentry" in event:
        # The sentence without its values; a structured line is a dict of which one is the event.
        said = getattr(record, "msg", event["logentry"].get("message"))
        sentence = said.get("event") if isinstance(said, dict) else said
        event["logentry"] = {"message": mask(str(sentence))}
    return event


def mask(text: str) -> str:
    """Databases and servers quote mail addresses and URLs with passwords in their errors."""
    return _MAIL.sub("[mail]", _CREDENTIALS.sub("://[hidden]@", text))


def _tags(task: Any) -> dict[str, str]:
    found = {"task": task.name, "queue": (task.request.delivery_info or {}).get("routing_key")}
    if not task.name.startswith("celery."):
        found["urgency"] = str(task.urgency)
    return found


def _tag(task: Any, **_: Any) -> None:
    import sentry_sdk

    # The SDK opens a scope around each run, before this signal.
    sentry_sdk.get_isolation_scope().set_tags(_tags(task))


def _report_lost(sender: Any, exception: BaseException, **_: Any) -> None:
    """A killed child or a hard time limit: told by the main process, where the SDK sees no task."""
    from billiard.exceptions import TimeLimitExceeded, WorkerLostError
    from sentry_sdk import capture_exception, new_scope

    # Celery tells a hard time limit twice, the second time without the request.
    if isinstance(exception, (TimeLimitExceeded, WorkerLostError)) and sender.request.id:
        with new_scope() as scope:
            scope.set_tags(_tags(sender))
            capture_exception(exception)
