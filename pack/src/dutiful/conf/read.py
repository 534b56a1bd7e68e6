"""From the dictionary in the settings to a `Conf`, or an error that names the line to change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from django.utils.module_loading import import_string

from dutiful import env
from dutiful.catalogue import defaults
from dutiful.conf import places, valid
from dutiful.conf.options import Conf
from dutiful.conf.places import Place
from dutiful.conf.valid import wrong

KEYS: Final = tuple(field.name.upper() for field in fields(Conf) if field.name != "places")
DATA: Final = ("QUEUES", "PROFILES", "SCHEDULE")
"""Keys whose value may be a dotted path: what they hold lies in a file of the project's own."""
ENVIRONMENTS: Final = ("development", "production", "test")
SIMPLE: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "APP": (lambda value: isinstance(value, str), 'a dotted path such as "shop.celery.app"'),
    "UNDECLARED": (lambda value: isinstance(value, str), "the name of a queue"),
    "HOUSEKEEPING": (lambda value: isinstance(value, str), "the name of a queue"),
    "PRESET": (lambda value: isinstance(value, str), "the name of a preset of PROFILES"),
    "GRACE_SECONDS": (
        lambda value: type(value) in (int, float) and value >= 0,
        "a number of seconds, 0 or more",
    ),
    "ENVIRONMENT": (lambda value: value in ENVIRONMENTS, f"one of {', '.join(ENVIRONMENTS)}"),
    "FLOWER_URL": (
        lambda value: isinstance(value, str) and value.startswith(("http://", "https://")),
        "a URL that begins with http:// or https://",
    ),
}
"""What the value of each other key must be."""


def read(given: Any) -> Conf:
    """Raises ImproperlyConfigured with one sentence for the first thing that is wrong."""
    written = places.of_settings(given)
    if not isinstance(given, Mapping):
        raise wrong(written.at(), f"DUTIFUL is {given!r}, not a dictionary")
    for key in given:
        if key not in KEYS:
            raise wrong(
                written.at(key), f"DUTIFUL has no key {key!r}; choose from {', '.join(KEYS)}"
            )
    found: dict[str, Any] = {}
    where = {key: _place(key, given.get(key), written) for key in KEYS}
    for key, value in given.items():
        if key in DATA:
            found[key.lower()] = _data(key, value, where[key], written)
        elif not SIMPLE[key][0](value):
            raise wrong(written.at(key), f"DUTIFUL[{key!r}] is {value!r}, not {SIMPLE[key][1]}")
        else:
            found[key.lower()] = value
    try:
        conf = Conf(**found, places=where)
    except env.EnvError as error:
        raise wrong(
            "the environment", f"{error} A key of DUTIFUL of that name overrides the variable"
        ) from None
    valid.check(conf)
    if "SCHEDULE" not in given:
        return replace(conf, schedule=defaults.heartbeats(conf.queues))
    return conf


def _data(key: str, value: Any, place: Place, written: Place) -> Any:
    """A tuple of what the key holds; for PROFILES a dictionary of them, by preset."""
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            what = f"DUTIFUL[{key!r}] is {value!r}, which cannot be imported: {error}"
            raise wrong(written.at(key), what) from error
    if key != "PROFILES":
        return _tuple(key, value, place)
    if not isinstance(value, Mapping):
        return {"standard": _tuple(key, value, place)}
    return {preset: _tuple(key, shapes, place, preset) for preset, shapes in value.items()}


def _tuple(key: str, value: Any, place: Place, preset: object = None) -> tuple[Any, ...]:
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        named = key if preset is None else f"{key}[{preset!r}]"
        raise wrong(place.at(preset), f"{named} is {value!r}, not a tuple")
    return tuple(value)


def _place(key: str, value: Any, written: Place) -> Place:
    if key in DATA and isinstance(value, str):
        return places.of_path(value)
    return Place(written.file, "DUTIFUL") if written.file else Place(None, f"DUTIFUL[{key!r}]")


def place(conf: Conf, key: str) -> str:
    """The file that a dotted path leads to; the key itself where its value is none."""
    found = conf.places.get(key)
    return found.path if found and found.name != "DUTIFUL" else f"DUTIFUL[{key!r}]"
