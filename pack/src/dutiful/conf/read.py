"""From the dictionary in the settings to a `Conf`, or an error that names the file to change."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from dutiful import env
from dutiful.catalogue.classes import QueueClass
from dutiful.catalogue.entries import Entry
from dutiful.catalogue.profiles import Profile
from dutiful.conf.options import Conf

KEYS = tuple(field.name.upper() for field in fields(Conf) if field.name != "places")
DATA = ("QUEUES", "PROFILES", "SCHEDULE")
"""Keys whose value may be a dotted path: what they hold lies in a file of the project's own."""


def read(given: Any) -> Conf:
    """Raises ImproperlyConfigured with one sentence for the first thing that is wrong."""
    if not isinstance(given, Mapping):
        raise _wrong("DUTIFUL", f"is {given!r}, not a dictionary")
    for key in given:
        if key not in KEYS:
            raise _wrong("DUTIFUL", f"has no key {key!r}; choose from {', '.join(KEYS)}")
    values = {key: _value(key, value) for key, value in given.items()}
    places = {key: _place(value) for key, value in given.items() if key in DATA}
    if "PROFILES" in values and not isinstance(values["PROFILES"], Mapping):
        values["PROFILES"] = {"standard": values["PROFILES"]}
    found: dict[str, Any] = {key.lower(): value for key, value in values.items()}
    for key in ("queues", "schedule"):
        if key in found:
            found[key] = _tuple(key.upper(), found[key], places)
    if "profiles" in found:
        found["profiles"] = {
            preset: _tuple("PROFILES", shapes, places)
            for preset, shapes in found["profiles"].items()
        }
    conf = Conf(**found, places=places)
    _check_types(conf)
    _check_queues(conf)
    _check_profiles(conf)
    return conf


def _value(key: str, value: Any) -> Any:
    if key not in DATA or not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise _wrong(
            f"DUTIFUL[{key!r}]", f"is {value!r}, which cannot be imported: {error}"
        ) from error


def _place(value: Any) -> str:
    """The file of a dotted path, from the project's root."""
    if not isinstance(value, str):
        return "the settings"
    spec = find_spec(value.rpartition(".")[0])
    file = Path(spec.origin) if spec and spec.origin else Path(value)
    return str(file.relative_to(env.ROOT) if file.is_relative_to(env.ROOT) else file)


def _tuple(key: str, value: Any, places: Mapping[str, str]) -> tuple[Any, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(places.get(key, key), f"{key} is {value!r}, not a tuple")
    return tuple(value)


def _check_types(conf: Conf) -> None:
    shapes = [shape for preset in conf.profiles.values() for shape in preset]
    for key, kind, values in (
        ("QUEUES", QueueClass, conf.queues),
        ("PROFILES", Profile, shapes),
        ("SCHEDULE", Entry, conf.schedule),
    ):
        for value in values:
            if not isinstance(value, kind):
                raise _wrong(place(conf, key), f"{key} holds {value!r}, not a {kind.__name__}")


def _check_queues(conf: Conf) -> None:
    where = place(conf, "QUEUES")
    if not conf.queues:
        raise _wrong(where, "QUEUES is empty; a catalogue has at least one queue")
    for name, count in Counter(queue.name for queue in conf.queues).items():
        if count > 1:
            raise _wrong(where, f"{count} queues have the name {name}; a name belongs to one")
    for key, name in (("UNDECLARED", conf.undeclared), ("HOUSEKEEPING", conf.housekeeping)):
        if name and name not in conf.by_name:
            raise _wrong(
                f"DUTIFUL[{key!r}]", f"is {name!r}; the queues are {', '.join(conf.names)}"
            )


def _check_profiles(conf: Conf) -> None:
    where = place(conf, "PROFILES")
    if conf.preset not in conf.profiles:
        raise _wrong(where, f"no preset {conf.preset!r}; there are {', '.join(conf.profiles)}")
    for preset, shapes in conf.profiles.items():
        for shape in shapes:
            for queue in shape.queue_names:
                if queue not in conf.by_name:
                    raise _wrong(
                        where,
                        f"profile {shape.name} ({preset}) serves {queue}, which is no queue of"
                        f" {place(conf, 'QUEUES')}: {', '.join(conf.names)}",
                    )
        served = {queue for shape in shapes for queue in shape.queue_names}
        if alone := [name for name in conf.names if name not in served]:
            raise _wrong(
                where,
                f"no profile of {preset!r} serves {', '.join(alone)}, so its tasks would wait for"
                " ever; add it to a profile's queues, or take it out of"
                f" {place(conf, 'QUEUES')}",
            )


def place(conf: Conf, key: str) -> str:
    """Where the value of a key is written: a file, or the key itself where it is the default."""
    return conf.places.get(key, f"DUTIFUL[{key!r}]")


def _wrong(where: str, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{where}: {what}.")
