"""Configures Sentry's SDK: every exception reaches a tracker (tip 9), and no personal data does.

An event has the exception, its stack without variables, earlier attempts, and the tags environment,
release, urgency, queue, task, attempt, age and key. Without SENTRY_DSN and ERROR_TRACKER
(dutiful/errors/trackers.py) the SDK is not loaded.
"""

from typing import Any, Final

from dutiful import env
from dutiful.errors.masking import mask
from dutiful.errors.sentry import source, storm
from dutiful.errors.variables import ERROR_TRACKER, TRIES

_LOST: Final = ("Task handler raised error", "Hard time limit")
"""How log lines of Celery begin whose error dutiful/errors/sentry/tasks.py reports with its
task."""


def on() -> bool:
    """Whether errors are sent: to Sentry, a tracker of your own, or both."""
    return bool(env.SENTRY_DSN.get() or ERROR_TRACKER.get())


def start() -> None:
    """Starts the SDK. The settings call it at their end, in every process."""
    if not on():
        return
    import sentry_sdk
    from sentry_sdk.integrations.argv import ArgvIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
    from sentry_sdk.integrations.modules import ModulesIntegration
    from sentry_sdk.scope import add_global_event_processor

    from dutiful.errors.sentry import tasks

    more: dict[str, Any] = {}
    if ERROR_TRACKER.get():
        from dutiful.errors import trackers

        more["transport"] = trackers.transport()
    sentry_sdk.init(
        dsn=env.SENTRY_DSN.get(),
        environment=env.ENVIRONMENT.get(),
        release=env.RELEASE.get() or None,
        integrations=[
            DjangoIntegration(),
            LoggingIntegration(
                level=None
            ),  # no breadcrumbs: the log has these lines, with the task id
            tasks.Tasks(monitor_beat_tasks=bool(env.SENTRY_DSN.get())),
        ],
        # Flags may have a password. Each thread that fails parses the list of packages:
        # thirty at once took 200 MB.
        disabled_integrations=[ArgvIntegration(), ModulesIntegration()],
        send_default_pii=False,
        include_local_variables=False,  # a task's arguments are its variables
        include_source_context=False,  # `scrub` adds it to what is sent
        max_request_body_size="never",
        max_breadcrumbs=0,
        server_name="",  # the name of a developer's machine may be a person's
        auto_session_tracking=False,
        before_send=before_send,
        **more,
    )
    add_global_event_processor(storm.admit)
    # These log that a task failed or a child died; the exception is sent anyway.
    ignore_logger("dutiful.monitoring.runs")
    ignore_logger("multiprocessing")


def warn(sentence: str, task: str) -> None:
    """Sends a warning, tagged with a task. The sentence must have no personal data."""
    if on():
        import sentry_sdk

        with sentry_sdk.new_scope() as scope:
            scope.set_tag("task", task)
            sentry_sdk.capture_message(sentence, level="warning")


def before_send(event: Any, hint: dict[str, Any]) -> Any:
    """The SDK's `before_send`: removes personal data, and calls a tracker of your own."""
    scrubbed = scrub(event, hint)
    if scrubbed is not None and not scrubbed.get("type") and ERROR_TRACKER.get():
        from dutiful.errors import trackers

        trackers.report(scrubbed, hint)
    return scrubbed


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    """The event without personal data and secrets; None if it has been reported already."""
    record = hint.get("log_record")
    if record is not None and str(record.msg).startswith(_LOST):
        return None
    for part in ("user", "extra"):
        event.pop(part, None)
    tries = [
        {**crumb, "message": mask(str(crumb.get("message") or ""))}
        for crumb in event.pop("breadcrumbs", {}).get("values") or ()
        if crumb.get("category") == TRIES
    ]
    if tries:
        event["breadcrumbs"] = {"values": tries}
    event["tags"] = {name: mask(str(value)) for name, value in event.get("tags", {}).items()}
    if "request" in event:
        # The path may have a token; the transaction's name has the route.
        event["request"] = {"method": event["request"].get("method")}
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = mask(str(error.get("value") or ""))
    source.add(event)
    if "logentry" in event:
        event["logentry"] = {"message": mask(storm.sentence(event, hint))}
    elif "message" in event:
        event["message"] = mask(str(event["message"]))
    return event
