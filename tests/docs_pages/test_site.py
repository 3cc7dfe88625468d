"""The site that `make docs` builds: every page of it, strict, nothing of another host, searched offline."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.reports.browser import PROGRAM, dump

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LOADS = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "srcset"), ("object", "data")}
"""Elements with the attribute whose address a browser loads by itself, beside those of `link`."""
READ_BY_PEOPLE = {"search", "index", "next", "prev", "author", "canonical"}
"""Relations of `link` that a browser does not load."""
FAULTS = {
    "[there](nothing.md)": "nothing.md",
    "[there](other.md#nowhere)": "nowhere",
    "![a picture](nothing.png)": "nothing.png",
    "[there](../nothing.yaml)": "nothing.yaml",
}

pytestmark = pytest.mark.exhaustive


class Loaded(HTMLParser):
    """Addresses that a page has a browser load, its style sheets within included."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found = loaded_by_style(page)
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        values = dict(attrs)
        if tag == "link" and not set((values.get("rel") or "").split()) & READ_BY_PEOPLE:
            self.found.append(values["href"] or "")
        self.found += [value or "" for name, value in attrs if (tag, name) in LOADS]


def loaded_by_style(text: str) -> list[str]:
    found = re.findall(r"""url\(["']?([^"')]+)|@import\s+["']([^"']+)""", text)
    return [one or other for one, other in found]


def elsewhere(address: str) -> bool:
    return address.startswith("//") or (":" in address.split("/")[0] and not address.startswith("data:"))


def build(docs: Path, to: Path) -> subprocess.CompletedProcess[str]:
    command = [
        "make",
        "--no-print-directory",
        "docs",
        f"SITE={to}",
        f"DOCS={docs}",
        f"BIN={Path(sys.executable).parent}",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(DOCS, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"the documentation is {folder}/index.html\n"
    return folder


def small(folder: Path, **pages: str) -> Path:
    """Docs of a few pages, under the configuration of ours."""
    folder.mkdir()
    shutil.copy(DOCS / "conf.py", folder)
    text = {"index": "# Pages\n\n- [Other](other.md)\n", "other": "# Other\n", **pages}
    for name, content in text.items():
        (folder / f"{name}.md").write_text(content)
    return folder


def test_every_page_is_in_the_site_and_in_the_navigation_of_the_first(site):
    first = (site / "index.html").read_text()
    pages = [page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")]
    assert [page for page in pages if not (site / page).exists()] == []
    sidebar = first[first.index('class="sidebar-tree"') : first.index("</aside>")]
    assert [page for page in pages if page.name != "index.html" and f'href="{page}"' not in sidebar] == []


def test_nothing_of_the_site_is_loaded_from_another_host(site):
    files = list(site.rglob("*.html"))
    loaded = {file.name: Loaded(file.read_text()).found for file in files}
    styles = {file.name: loaded_by_style(file.read_text()) for file in site.rglob("*.css")}
    pictures = {file.name: loaded_by_style(file.read_text()) for file in site.rglob("*.svg")}
    assert len(files) > 60 and all(len(found) > 3 for found in loaded.values()), (
        "the test sees what is loaded"
    )
    everything = {**loaded, **styles, **pictures}
    assert {
        name: found for name, all_ in everything.items() if (found := [one for one in all_ if elsewhere(one)])
    } == {}


@pytest.mark.browser
@pytest.mark.skipif(PROGRAM is None, reason="there is no chromium on PATH: `make browser`")
def test_the_site_opened_as_files_is_searched_without_a_network(site):
    search = site / "search.html"
    query = search.with_name("query.html")
    content = search.read_text().replace(
        "<head>", "<head><script>history.replaceState(0, '', '?q=tenant')</script>"
    )
    query.write_text(content)
    found, said = dump(query, 1200, "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=8000")
    assert 'href="components/tenancy.html"' in found[found.index("search-results") :]
    assert said == []


def test_pages_without_a_fault_are_built(tmp_path):
    done = build(small(tmp_path / "docs"), tmp_path / "site")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("faults")
    faulty = "# Other\n\n" + "\n\n".join(FAULTS)
    docs = small(folder / "docs", other=faulty, lonely="# Lonely\n")
    done = build(docs, folder / "site")
    assert done.returncode
    return done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_with_a_broken_link_anchor_or_picture_fails_and_is_named_with_it(refused, fault):
    assert re.search(rf"other\.md:\d+: WARNING: .*{re.escape(FAULTS[fault])}", refused), refused


def test_a_page_that_no_navigation_has_fails(refused):
    assert re.search(r"lonely\.md: WARNING: document isn't included in any toctree", refused), refused
