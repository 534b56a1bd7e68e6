"""What `uv build` makes: complete, and at work without the repository."""

import tarfile
import tomllib
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest

from dutiful import extras, pages
from tests.adopting.conftest import PACK, Place

IGNORED = {".pyc"}


def test_the_wheel_has_every_file_of_the_pack(wheel: Path) -> None:
    inside = set(ZipFile(wheel).namelist())
    source = PACK / "src"
    files = [each for each in (source / "dutiful").rglob("*") if each.is_file()]
    expected = {str(each.relative_to(source)) for each in files if each.suffix not in IGNORED}
    expected |= {f"dutiful/docs/{page}.md" for page in pages.names()}
    assert not expected - inside
    assert {Path(name).suffix for name in expected} >= {".lua", ".html", ".css", ".svg", ".typed"}


def test_the_source_distribution_has_the_pages_and_the_licence(distributions: Path) -> None:
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "docs/settings.md"} <= names
    assert "src/dutiful/transport/redis/transport.py" in names


def test_it_is_imported_from_the_wheel_and_prints_its_pages(place: Place) -> None:
    said = place.run("python", "-c", "import dutiful; print(dutiful.__file__)")
    assert Path(said.strip()).is_relative_to(place.bin.parent)
    assert place.run("python", "-m", "dutiful", "docs", "settings").startswith("# Settings")
    assert "  adopting\n" in place.run("python", "-m", "dutiful", "docs")
    assert place.ended("python", "-m", "dutiful", "docs", "nothing").returncode == 2


def test_an_error_names_a_page_that_the_installed_pack_has(place: Place) -> None:
    said = place.ended("python", "-c", "from dutiful import env; env.PORT.get()", PORT="many")
    assert "See `python -m dutiful docs settings`." in said.stdout


def test_the_core_has_four_dependencies_and_the_extras_are_what_the_code_says() -> None:
    project = tomllib.loads((PACK / "pyproject.toml").read_text())["project"]
    core = {_name(each) for each in project["dependencies"]}
    assert core == {"celery", "kombu", "redis", "django"}
    optional = project["optional-dependencies"]
    assert set(extras.EXTRAS) | {"drills"} == set(optional)
    for extra, modules in extras.EXTRAS.items():
        wanted = {_distribution(module) for module in modules}
        assert wanted <= {_name(each) for each in optional[extra]}, extra


@pytest.mark.parametrize("extra", sorted(set(extras.EXTRAS) - {"otel"}))
def test_every_module_of_an_extra_can_be_imported(extra: str) -> None:
    for module in extras.EXTRAS[extra]:
        import_module(module)


def _name(requirement: str) -> str:
    for end in "[=<>;~ ":
        requirement = requirement.partition(end)[0]
    return requirement.lower()


def _distribution(module: str) -> str:
    others = {
        "environ": "django-environ",
        "opentelemetry.instrumentation.celery": "opentelemetry-instrumentation-celery",
    }
    return others.get(module, module.replace("_", "-"))
