"""docs/settings.md says every variable that the pack reads."""

from dutiful import env
from dutiful.dev.management.commands.settings_docs import page


def test_docs_settings_is_not_stale() -> None:
    shown = (env.ROOT / "docs" / "settings.md").read_text()
    assert shown == page(), "run `manage.py settings_docs`"
