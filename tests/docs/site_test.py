"""The documentation site builds without a warning, and is complete."""

import html
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr, result.stderr
    return folder


def test_every_page_is_in_the_navigation(site):
    index = (site / "index.html").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix().replace("README", "index")
        assert f'href="{name}"' in index, name
    assert 'href="reference.html"' in index


def test_links_lead_somewhere(site):
    """MkDocs checks links between pages; this checks every file of the finished site."""
    dead = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        for link in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text()):
            if not re.match(r"[a-z]+:|//", link) and not (page.parent / html.unescape(link)).exists():
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


def test_the_reference_has_every_key(site):
    page = (site / "reference.html").read_text()
    text = (ROOT / "configs/reference.toml").read_text()
    keys = re.findall(r"^(\w+) = ", text, re.M)
    assert len(keys) > 100 and len(re.findall(r"<tr>\s*<td><code>", page)) == len(keys)
    for key in keys:
        assert f"<code>{key}</code>" in page, key


def test_the_drawing_is_one(site):
    root = xml.etree.ElementTree.parse(site / "figures/floor_plan.svg").getroot()
    words = "".join(root.itertext())
    assert all(room in words for room in ("sim/", "buffers/", "algos/", "configs/", "apps/", "python/", "analysis/"))
    assert "figures/floor_plan.svg" in (site / "concepts.html").read_text()


def test_a_broken_link_fails(tmp_path):
    """The build is as strict as it says."""
    for name in ("mkdocs.yml", "docs", "scripts", "configs", "LICENSE"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "docs").unlink()
    (tmp_path / "docs").mkdir()
    for entry in (ROOT / "docs").iterdir():
        (tmp_path / "docs" / entry.name).symlink_to(entry)
    (tmp_path / "docs/python.md").unlink()
    (tmp_path / "docs/python.md").write_text("# Python\n\n[nowhere](nowhere.md)\n")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode != 0 and "nowhere.md" in result.stderr
