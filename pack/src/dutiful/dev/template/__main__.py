"""`python -m dutiful.dev.template --name shop --to ../shop`, which is what `make template` runs."""

import argparse
import re
import sys
from pathlib import Path

from dutiful import __version__, env
from dutiful.dev.template import edits, files, locks, options, readme, rename
from dutiful.dev.template.options import Options, TemplateError


def make(asked: Options) -> None:
    """Writes the project. Raises TemplateError."""
    options.check(asked)
    asked.to.mkdir(parents=True, exist_ok=True)
    for name in files.listed(asked):
        source, target = asked.source / name, asked.to / rename.path(name, asked)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            content = source.read_text()
        except UnicodeDecodeError:  # an image
            target.write_bytes(source.read_bytes())
            continue
        if name == "README.md":
            content = readme.made(content, asked)
        content = rename.text(name, edits.apply(name, content, asked), asked)
        if name == "pyproject.toml":
            content = re.sub(
                r'^    "dutiful\[.*\](?=",$)', rf"\g<0>=={__version__}", content, flags=re.M
            )
        target.write_text(content)
        target.chmod(files.mode(source))
    # The order of imports depends on the package's name.
    locks.run(["ruff", "check", "--no-cache", "--quiet", "--select", "I", "--fix", "."], asked.to)
    locks.run(["ruff", "format", "--no-cache", "--quiet", "."], asked.to)
    if not asked.from_index:
        locks.build_wheel(asked)
    locks.compile_locks(asked)


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="make template")
    parser.add_argument("--name", required=True)
    parser.add_argument("--to", required=True, type=Path)
    parser.add_argument("--no-examples", action="store_true")
    parser.add_argument("--from-index", action="store_true")
    given = parser.parse_args(words)
    asked = Options(
        source=env.ROOT,
        name=given.name,
        to=given.to,
        examples=not given.no_examples,
        from_index=given.from_index,
    )
    try:
        make(asked)
    except TemplateError as error:
        sys.exit(f"make template: {error}")
    pack = f"dutiful {__version__}, " + ("from an index" if given.from_index else "in wheels/")
    print(f"{given.name} is in {given.to}, with {pack}. Next: cd {given.to} && git init && make up")


if __name__ == "__main__":
    main(sys.argv[1:])
