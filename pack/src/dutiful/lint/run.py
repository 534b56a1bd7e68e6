"""Runs all rules on all tasks and files."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage

from dutiful.lint import atomic, attributes, declared, process, signature, state, timeouts
from dutiful.lint.finding import Finding
from dutiful.lint.silences import unsilenced
from dutiful.lint.source import Sources, own
from dutiful.lint.subjects import reached, subjects

OF_TASKS: Final = (attributes.check, declared.check, signature.check)
OF_FUNCTIONS: Final = (process.check, state.check, timeouts.check)


def check_source(**_: Any) -> list[CheckMessage]:
    """dutiful.E003 to E008 and W001 to W009, for every registered task."""
    from celery import current_app as app

    app.loader.import_default_modules()
    found = lint(app.tasks.values(), files())
    return [finding.message(Path(settings.BASE_DIR)) for finding in found]


def lint(tasks: Iterable[Any], paths: Iterable[tuple[Path, str]] = ()) -> list[Finding]:
    """The findings in tasks, in the functions of the project that they call, and in files.

    A file is a path with the name of its module; it is checked for dutiful.E003 and silences only.
    """
    sources = Sources()
    found: dict[tuple[object, ...], Finding] = {}
    for finding in _found(sorted(tasks, key=lambda task: str(task.name)), paths, sources):
        key = finding.rule.code, finding.module.path, finding.line, finding.text
        found.setdefault(key, finding)
    modules = [module for module in sources.modules.values() if module]
    left = unsilenced(found.values(), modules)
    return sorted(left, key=lambda each: (each.module.path, each.line, each.rule.code))


def _found(
    tasks: Iterable[Any], paths: Iterable[tuple[Path, str]], sources: Sources
) -> Iterator[Finding]:
    known = subjects(tasks, sources)
    for subject in known:
        for rule in OF_TASKS:
            yield from rule(subject, sources)
    for function in reached(known, sources):
        for of_function in OF_FUNCTIONS:
            yield from of_function(function, sources)
    for path, name in paths:
        text = path.read_text(errors="replace")
        if atomic.concerns(text) or "dutiful: ignore" in text:
            module = sources.file(path, name)
            if module and atomic.concerns(text):
                yield from atomic.check(module, sources)


def files() -> Iterator[tuple[Path, str]]:
    """The project's own modules: the imported ones, and all in the folders of its apps."""
    seen: dict[Path, str] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and own(Path(file)) and Path(file).is_file():
            seen.setdefault(Path(file), name)
    for config in apps.get_app_configs():
        folder = Path(config.path)
        for path in folder.rglob("*.py") if own(folder / "apps.py") else ():
            inside = path.relative_to(folder).with_suffix("").parts
            seen.setdefault(path, ".".join([config.name, *inside]).removesuffix(".__init__"))
    yield from seen.items()
