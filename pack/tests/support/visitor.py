"""A browser without scripts: cookies, forms, links. Standard library only."""

import re
import urllib.error
import urllib.request
from base64 import b64encode
from http.cookiejar import CookieJar
from typing import Final
from urllib.parse import urlencode, urljoin

from dutiful.testing.processes import wait_for

TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Visitor:
    """Somebody at `site`, whose pages are read as text."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.url = site
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self.browser = urllib.request.build_opener(jar)

    def read(self, path: str) -> bytes:
        """A page, or a file. Raises urllib.error.HTTPError."""
        with self.browser.open(urljoin(self.site, path), timeout=60) as answer:
            self.url = answer.url
            return bytes(answer.read())

    def page(self, path: str) -> str:
        return self.read(path).decode()

    def press(self, path: str, **fields: str) -> str:
        """Fills the form on a page and sends it. The page that follows."""
        found = TOKEN.search(self.page(path))
        assert found, f"no form on {path}"
        data = urlencode({**fields, "csrfmiddlewaretoken": found[1]}).encode()
        with self.browser.open(urljoin(self.site, path), data, timeout=60) as answer:
            self.url = answer.url
            return str(answer.read().decode())

    def finished(self) -> str:
        """The run's page on which this visitor is, once its task is done."""
        run = self.url

        def done() -> str:
            page = self.page(run)
            return page if 'data-phase="done"' in page else ""

        return wait_for(f"the run {run}", done)


def link(page: str, pattern: str) -> str:
    """The first link of a page whose address matches."""
    found = re.search(rf'href="([^"]*{pattern}[^"]*)"', page)
    assert found, f"no link to {pattern} in:\n{page}"
    return found[1]


def status(url: str, login: str = "") -> int:
    """What a page answers; 0 where nobody listens."""
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=20
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except (urllib.error.URLError, ConnectionError):
        return 0
