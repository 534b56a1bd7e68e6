"""docs/adopting.md as data: its sections, and the code in each."""

import re
from dataclasses import dataclass

from dutiful import pages

MOST_LINES = 25
"""What a project changes at the most, all pieces together."""
_BLOCK = re.compile(r"```(python|bash)\n(.*?)```", re.DOTALL)
_FILE = re.compile(r"# (\S+)\n")


@dataclass(frozen=True)
class Change:
    """Lines that the page adds to a file."""

    file: str
    text: str

    @property
    def lines(self) -> int:
        return sum(bool(line.strip()) for line in self.text.splitlines())


@dataclass(frozen=True)
class Section:
    title: str
    text: str

    @property
    def changes(self) -> list[Change]:
        """The Python blocks that begin with the name of a file, alone on its line."""
        found = []
        for kind, code in _BLOCK.findall(self.text):
            if kind == "python" and (named := _FILE.match(code)):
                found.append(Change(named[1], code[named.end() :]))
        return found

    @property
    def commands(self) -> list[str]:
        blocks = [code for kind, code in _BLOCK.findall(self.text) if kind == "bash"]
        return [line for code in blocks for line in code.splitlines()]


def sections() -> dict[str, Section]:
    """By the first words of the title, as far as a colon."""
    parts = re.split(r"^##+ (.+)\n", pages.text("adopting"), flags=re.MULTILINE)[1:]
    titles = zip(parts[::2], parts[1::2], strict=True)
    return {title.partition(":")[0]: Section(title, text) for title, text in titles}
