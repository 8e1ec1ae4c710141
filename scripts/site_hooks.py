"""What the documentation site (mkdocs.yml) has besides docs/: the reference of the configuration, written from
configs/reference.toml, files outside of docs/ that pages link to, and pages that the navigation does not name yet.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = "configs/reference.toml"
LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)")


def on_config(config):
    """Pages that the navigation does not name come last."""
    named = set(re.findall(r"[\w/]+\.md", repr(config.nav)))
    pages = sorted(path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md"))
    more = [page for page in pages if page not in named]
    if more:
        config.nav.append({"More": more})
    return config


def on_files(files, config):
    text = (ROOT / REFERENCE).read_text()
    files.append(File.generated(config, "reference.md", content=reference_page(text)))
    for target in linked_files(files):
        files.append(File.generated(config, f"files/{target}", abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links that leave docs/ lead to the reference, or to the file's copy in the site."""
    up = "../" * page.file.src_uri.count("/")

    def replaced(match):
        target = outside(page.file.src_uri, match[2])
        if target is None:
            return match[0]
        return f"{match[1]}{up}{'reference.md' if target == REFERENCE else f'files/{target}'}"

    return LINK.sub(replaced, markdown)


def outside(page, link):
    """The path from the checkout's root of what `link` on `page` names, if that is no part of docs/."""
    path = (ROOT / "docs" / page).parent.joinpath(link).resolve()
    if not path.is_file() or path.is_relative_to(ROOT / "docs") or not path.is_relative_to(ROOT):
        return None
    return path.relative_to(ROOT).as_posix()


def linked_files(files):
    pages = [file for file in files.documentation_pages() if (ROOT / "docs" / file.src_uri).is_file()]
    found = {outside(file.src_uri, link) for file in pages
             for _, link in LINK.findall((ROOT / "docs" / file.src_uri).read_text())}  # fmt: skip
    return sorted(found - {None, REFERENCE})


def reference_page(text):
    """reference.toml as one table per section: comments are the meaning, then what is accepted."""
    lines = [
        "# Configuration",
        "",
        "Every key with its default, what it accepts and what it means, as `anthill config --reference` prints them. A file names "
        "only what it changes; `--set section.key=value` comes last. `anthill config FILE` shows every value and where it comes from.",
    ]
    comments = []
    for line in text.splitlines():
        if line.startswith("["):
            lines += ["", f"## {line}", "", "| key | default | accepts | meaning |", "|---|---|---|---|"]
        elif line.startswith("# "):
            comments.append(line[2:])
        elif " = " in line:
            key, value = line.split(" = ", 1)
            meaning, accepts = comments[0], "; ".join(comments[1:])
            lines.append(f"| `{key}` | `{cell(value)}` | {cell(accepts)} | {cell(meaning)} |")
        if not line.startswith("# "):
            comments = []
    return "\n".join(lines) + "\n"


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")
