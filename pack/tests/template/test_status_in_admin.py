"""The template's admin leads to the status page, and the page leads back."""

from collections.abc import Callable

import pytest

from dutiful.dev.embedded import EmbeddedBroker
from dutiful.testing.processes import Running
from tests.support.status import Web, session
from tests.template import ROOT, SETTINGS

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_admin_and_the_page_lead_to_each_other(
    start: Callable[..., Running], broker: EmbeddedBroker
) -> None:
    web = Web(start, "project.wsgi", ROOT, **SETTINGS)
    staff = session()
    for address in ("/admin/", "/admin/password_change/"):
        assert '<a href="/status/">Status</a>' in web.get(address, staff).body
    assert "Is every promise kept?" in web.get("/admin/", staff).body
    assert "/admin/" in web.get(cookie=staff).page.links
    assert "/status/" not in web.get("/admin/login/").body
