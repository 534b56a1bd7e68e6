"""What must hold among the values of a `Conf`. Errors name the file, the line and the fix."""

from django.core.exceptions import ImproperlyConfigured

from dutiful.catalogue.classes import QueueClass
from dutiful.catalogue.entries import Entry
from dutiful.catalogue.profiles import Profile
from dutiful.conf.options import Conf
from dutiful.conf.places import Place
from dutiful.pages import see


def check(conf: Conf) -> None:
    """Raises ImproperlyConfigured for the first thing that is wrong."""
    _types(conf)
    _queues(conf)
    _profiles(conf)


def _types(conf: Conf) -> None:
    for key, kind, values in (
        ("QUEUES", QueueClass, conf.queues),
        ("SCHEDULE", Entry, conf.schedule),
        *(("PROFILES", Profile, shapes) for shapes in conf.profiles.values()),
    ):
        for item, value in enumerate(values):
            if not isinstance(value, kind):
                raise wrong(
                    _place(conf, key).at(item=item),
                    f"{key} holds {value!r}, not a {kind.__name__}",
                )


def _queues(conf: Conf) -> None:
    where = _place(conf, "QUEUES")
    if not conf.queues:
        raise wrong(where.at(), "QUEUES is empty; a catalogue has at least one queue")
    seen: set[str] = set()
    for item, queue in enumerate(conf.queues):
        if queue.name in seen:
            what = f"2 queues have the name {queue.name}; a name belongs to one"
            raise wrong(where.at(item=item), what)
        seen.add(queue.name)
    for key, name in (("UNDECLARED", conf.undeclared), ("HOUSEKEEPING", conf.housekeeping)):
        if name and name not in conf.by_name:
            raise wrong(
                _place(conf, key).at(key),
                f"DUTIFUL[{key!r}] is {name!r}, which is no queue; choose from"
                f" {', '.join(conf.names)}",
            )


def _profiles(conf: Conf) -> None:
    where = _place(conf, "PROFILES")
    if conf.preset not in conf.profiles:
        presets = ", ".join(map(str, conf.profiles))
        raise wrong(where.at(), f"PROFILES has no preset {conf.preset!r}; it has {presets}")
    for preset, shapes in conf.profiles.items():
        names = [shape.name for shape in shapes]
        for name in names:
            if names.count(name) > 1:
                what = f"{names.count(name)} profiles of {preset!r} have the name {name}"
                raise wrong(where.at(name), f"{what}; a name belongs to one")
        for shape in shapes:
            for queue in shape.queue_names:
                if queue not in conf.by_name:
                    raise wrong(
                        where.at(queue),
                        f"profile {shape.name} ({preset}) serves {queue}, which is no queue of"
                        f" {_place(conf, 'QUEUES').path}: {', '.join(conf.names)}",
                    )
        served = {queue for shape in shapes for queue in shape.queue_names}
        if alone := [name for name in conf.names if name not in served]:
            raise wrong(
                where.at(preset),
                f"no profile of {preset!r} serves {', '.join(alone)}, so its tasks would wait for"
                " ever; add it to a profile's queues, or take it out of"
                f" {_place(conf, 'QUEUES').path}",
            )


def _place(conf: Conf, key: str) -> Place:
    return conf.places.get(key) or Place(None, f"DUTIFUL[{key!r}]")


def wrong(where: str, what: str) -> ImproperlyConfigured:
    """The error: where to change something, what is wrong, and the page to read."""
    return ImproperlyConfigured(f"{where}: {what}. {see('configuring')}")
