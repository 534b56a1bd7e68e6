"""Every exception reaches a tracker (tip 9), and no personal data does.

What leaves: the exception, its stack without variables, where it ran, the tries before, and the
tags environment, release, urgency, queue, task, attempt, age and key. Without SENTRY_DSN and
ERROR_TRACKER (dutiful/errors/trackers.py) nothing is sent, or even loaded.
"""

from typing import Any, Final

from dutiful import env
from dutiful.errors.masking import mask
from dutiful.errors.sentry import source, storm
from dutiful.errors.variables import ERROR_TRACKER, TRIES

_LOST: Final = ("Task handler raised error", "Hard time limit")
"""How Celery's log begins where it says, without its task, what `_report_lost` says with it."""


def on() -> bool:
    """Whether anybody is told: Sentry, a tracker of your own, or both."""
    return bool(env.SENTRY_DSN.get() or ERROR_TRACKER.get())


def start() -> None:
    """Called where the settings end: so by web, workers, beat and commands alike."""
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
            LoggingIntegration(level=None),  # no breadcrumbs: the logs have the lines, by task id
            tasks.Tasks(monitor_beat_tasks=bool(env.SENTRY_DSN.get())),
        ],
        # Flags may hold a password. The list of packages is parsed by each thread that fails
        # first, thirty at once: 200 MB.
        disabled_integrations=[ArgvIntegration(), ModulesIntegration()],
        send_default_pii=False,
        include_local_variables=False,  # a task's arguments are its variables
        include_source_context=False,  # `scrub` adds it to what is sent
        max_request_body_size="never",
        max_breadcrumbs=0,
        server_name="",  # a developer's machine has a person's name
        auto_session_tracking=False,
        before_send=leave,
        **more,
    )
    add_global_event_processor(storm.admit)
    # These say that a task failed or a child died; the exception says why.
    ignore_logger("dutiful.monitoring.runs")
    ignore_logger("multiprocessing")


def warn(sentence: str, task: str) -> None:
    """An event that is no exception, tagged with its task. No values of people."""
    if on():
        import sentry_sdk

        with sentry_sdk.new_scope() as scope:
            scope.set_tag("task", task)
            sentry_sdk.capture_message(sentence, level="warning")


def leave(event: Any, hint: dict[str, Any]) -> Any:
    """`before_send` of the SDK: whatever leaves, to Sentry and to a tracker of your own."""
    scrubbed = scrub(event, hint)
    if scrubbed is not None and not scrubbed.get("type") and ERROR_TRACKER.get():
        from dutiful.errors import trackers

        trackers.tell(scrubbed, hint)
    return scrubbed


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    """The event without what could be personal or secret; None for one that is told already."""
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
        # Its path may hold a token; the transaction's name is the route instead.
        event["request"] = {"method": event["request"].get("method")}
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = mask(str(error.get("value") or ""))
    source.add(event)
    if "logentry" in event:
        event["logentry"] = {"message": mask(storm.sentence(event, hint))}
    elif "message" in event:
        event["message"] = mask(str(event["message"]))
    return event
