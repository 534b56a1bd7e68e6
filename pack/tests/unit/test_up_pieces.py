"""The parts of `make up` that need no process."""

import io
import re
from pathlib import Path

import pytest

from dutiful import env
from dutiful.catalogue.defaults import PROFILES
from dutiful.dev.up import service
from dutiful.dev.up.output import Output
from dutiful.dev.up.pause import Pause
from dutiful.dev.up.table import table
from dutiful.dev.up.watch import folders


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_pause_doubles_to_30_s_and_is_short_again_after_a_healthy_minute() -> None:
    pause = Pause()

    assert [pause.after(1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause.after(61) == 0.5


def test_lines_are_held_back_until_the_table_and_then_carry_their_process() -> None:
    stream = io.StringIO()
    output = Output(6, lambda: None, stream)
    output.line("web", "booting")
    assert stream.getvalue() == ""
    assert output.last("web") == "booting"

    output.quiet = False
    output.line("web", "GET /")

    assert stream.getvalue() == "web    | GET /\n"


def test_each_process_has_its_own_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> list[str]:
        output = Output(4, lambda: None, Terminal())
        output.quiet = False
        for name in ("web", "beat", "web"):
            output.line(name, "hello")
        return str(output.stream.getvalue()).splitlines()  # type: ignore[attr-defined]

    monkeypatch.delenv("NO_COLOR", raising=False)
    web, beat, again = (re.findall(r"\033\[([\d;]+)m", line)[0] for line in shown())
    assert web == again != beat
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in "".join(shown())


def test_a_closed_terminal_stops_everything() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    asked: list[bool] = []
    output = Output(4, lambda: asked.append(True), Closed())

    output.write("hello")

    assert asked == [True]
    output.stream.close()


def test_the_table_lines_up() -> None:
    said = table([("web", "up", "7", "http://a"), ("worker_io", "up", "12345", "100 threads")])

    assert (
        len(
            {
                line.index(word)
                for line, word in zip(said.splitlines(), ("where", "http", "100"), strict=True)
            }
        )
        == 1
    )


def test_every_profile_has_its_line_in_the_procfile_and_every_line_its_service() -> None:
    services = {s.name: s for s in service.from_procfile({}, lambda _: True)}

    assert list(services) == ["web", "worker_io", "worker_compute", "beat", "monitor", "flower"]
    for profile in PROFILES["standard"]:
        assert services[f"worker_{profile.name}"].command[-1].endswith(f"--profile {profile.name}")
    assert "release: python manage.py migrate" in service.PROCFILE.read_text()


def test_code_is_watched_and_what_the_processes_write_is_not() -> None:
    watched = {path.relative_to(env.ROOT) for path in folders(env.ROOT)}

    assert {Path(), Path("src/dutiful/task")} <= watched
    assert not {"var", ".venv", ".git", "tests"} & {path.parts[0] for path in watched if path.parts}
