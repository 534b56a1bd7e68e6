"""The package `project` under another name, and the pack's pages by a command that works there."""

import re

from dutiful.dev.template.options import Options

MODULES = "settings|celery|urls|wsgi|asgi|storage"
PACKAGE = re.compile(
    rf"\bproject(?=\.(?:{MODULES})\b|/(?:settings|templates|setup\.sh)\b)"
    r'|(?<=-A )project\b|(?<=from )project(?= import)|(?<=")project(?=")'
)
LINK = re.compile(r"\[([^\]]+)\]\(pack/docs/([\w-]+)\.md(?:#[\w-]+)?\)")
PAGE = re.compile(r"\b(?:pack/)?docs/([\w-]+)\.md(?:#[\w-]+)?")
MADE = ("docker/alerts", "docker/dashboard")
"""Made by commands of the pack, which write its page names there themselves."""


def path(name: str, options: Options) -> str:
    """The path of a file in the new project."""
    return re.sub("^project/", f"{options.name}/", name)


def text(name: str, content: str, options: Options) -> str:
    """The content of a file in the new project."""
    content = PACKAGE.sub(options.name, content)
    content = content.replace("celery-reference-deployment", options.distribution)
    content = content.replace("reference-deployment", options.distribution)
    content = content.replace("Reference Celery deployment", options.title)
    if name.startswith(MADE):
        return content
    content = LINK.sub(lambda found: _linked(found[1], found[2]), content)
    return PAGE.sub(
        r"`python -m dutiful docs \1`" if name.endswith(".md") else r"python -m dutiful docs \1",
        content,
    )


def _linked(words: str, page: str) -> str:
    command = f"`python -m dutiful docs {page}`"
    return command if words.endswith(".md") else f"{words} ({command})"
