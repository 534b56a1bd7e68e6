"""The catalogue of this project's queues (`DUTIFUL["QUEUES"]`), and how to find one in it."""

from dutiful.catalogue.classes import Bound, QueueClass, closest, declaration
from dutiful.conf import conf
from dutiful.conf.read import place


class NotInCatalogue(ValueError):
    """A combination, or a queue name, that the catalogue does not have."""


def catalogue() -> tuple[QueueClass, ...]:
    """All queues, in the order in which they are declared."""
    return conf().queues


def names() -> tuple[str, ...]:
    """Their names."""
    return conf().names


def housekeeping() -> QueueClass:
    """Where Celery's own tasks (celery.chord_unlock and the like) run: nobody can declare
    theirs.
    """
    return conf().for_housekeeping


def find(urgency: str, runtime: str, bound: str = Bound.IO) -> QueueClass:
    """The queue of a combination. Raises NotInCatalogue with the nearest and the choices."""
    for queue in catalogue():
        if (queue.urgency, queue.runtime, queue.bound) == (urgency, runtime, bound):
            return queue
    raise NotInCatalogue(
        f"urgency={str(urgency)!r}, runtime={str(runtime)!r}, bound={str(bound)!r} is not in the"
        f" catalogue ({_file()}). {advice(urgency, runtime, bound)}"
    )


def advice(urgency: str | None, runtime: str | None, bound: str | None) -> str:
    """The second half of an error: the nearest class, then all of them."""
    choices = "; ".join(f"{declaration(queue)} ({queue.name})" for queue in catalogue())
    nearest = closest(catalogue(), urgency, runtime, bound)
    return f"Nearest: {declaration(nearest)}. Choices: {choices}."


def known(name: object) -> bool:
    """Whether the catalogue has a queue of that name."""
    return name in conf().by_name


def by_name(name: str) -> QueueClass:
    """The queue of that name. Raises NotInCatalogue with the choices."""
    try:
        return conf().by_name[name]
    except KeyError:
        raise NotInCatalogue(
            f"queue {name!r} is not in the catalogue ({_file()}): {', '.join(names())}."
        ) from None


def _file() -> str:
    return place(conf(), "QUEUES")
