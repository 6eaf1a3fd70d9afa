"""The pictures of the documents: `make pictures` writes docs/pictures/. What they show is real: a sandbox of its own is
made with `make up`'s commands, and the system's Chromium signs in there as Ada. Run it after a change of the pages or
of what `make up` prints, look at the result, and commit it. What a photograph shows as text stands in shown.txt beside
it, so that a test of the tutorial notices when the page shows something else."""

import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import FloatRect, Locator, Page, sync_playwright
from rich.console import Console
from rich.text import Text

from flexsaml.terminal_text import print_lines

from .chromium import ARGUMENTS, find_chromium
from .flow import draw_flow

PROJECT = Path(__file__).resolve().parents[1]
PICTURES = PROJECT / "docs" / "pictures"
WIDTH, COLUMNS = 1000, 100
"""Of the pages in pixels, and of the terminal in letters."""
STYLE = PROJECT / "emulator" / "pages" / "static" / "style.css"
COLORS: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
SANDBOX = (
    "import sys; from pathlib import Path; from tools.sandbox import run; run(sys.argv[1], Path(sys.argv[2]), None)"
)
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="after make up">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, "DejaVu Sans Mono", monospace }}
.{unique_id}-title {{ font: bold 18px system-ui, "DejaVu Sans", sans-serif }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""
"""Rich's own template names a font on a server; this one takes what the reader has."""


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "flow.svg").write_text(draw_flow(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        try:
            printed = run_sandbox("up", folder)
            (PICTURES / "terminal.svg").write_text(record_terminal(printed), encoding="utf-8")
            portal = re.search(r"http://127\.0\.0\.1:\d+/portal", printed)
            shown = photograph_sign_in(portal[0] if portal else "", PICTURES)
            (PICTURES / "shown.txt").write_text(shown, encoding="utf-8")
        finally:
            run_sandbox("down", folder)
    sizes = {path.name: path.stat().st_size for path in sorted(PICTURES.iterdir())}
    print_lines([f"{size:>8,} bytes  docs/pictures/{name}" for name, size in sizes.items()])


def run_sandbox(command: str, folder: str) -> str:
    """What `make up` or `make down` prints, with colors, of a sandbox in that folder."""
    environment = {**os.environ, "PULUMI_OPTION_COLOR": "always"}
    ended = subprocess.run(
        [sys.executable, "-c", SANDBOX, command, f"{folder}/sandbox"],
        cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return ended.stdout


def select_lines(printed: str) -> list[str]:
    """The lines of `make up` that a reader needs: the update without the preview, its progress and the default tags."""
    update = printed[printed.index("Updating (") :]
    lines = [line.rstrip() for line in update.splitlines() if "@ updating" not in line and "creating (" not in line]
    shown: list[str] = []
    for line in lines:
        if line or (shown and shown[-1]):  # one empty line in place of several
            shown.append(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8765", line))
    return shown


def record_terminal(printed: str) -> str:
    """An SVG of a terminal in which `make up` has ended."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ make up", style="bold"))
    for line in select_lines(printed):
        console.print(Text.from_ansi(line), soft_wrap=False)
    return console.export_svg(title="make up", code_format=SVG, unique_id="terminal")


def photograph_sign_in(portal: str, folder: Path) -> str:
    """Sign in as Ada, and save each page on the way in light colors, and the page of the result in light and in dark
    ones. Returns what the pictures show: the text of each page, and the digest of their style sheet."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(portal)
        page.get_by_role("link", name="Twilio Flex", exact=True).click()
        shown = photograph(page, folder / "application.png", page.get_by_text("The definition"))
        page.get_by_role("link", name="Sign in to Twilio Flex").click()
        shown += photograph(page, folder / "who-signs-in.png", page.get_by_role("button", name="Linus Pauling"))
        page.get_by_role("button", name="Ada Lovelace").click()
        for colors in COLORS:
            page.emulate_media(color_scheme=colors)
            shown += photograph(page, folder / f"sign-in-{colors}.png", page.locator("#attributes"))
        browser.close()
    digest = hashlib.sha256(STYLE.read_bytes()).hexdigest()
    return f"{shown}# {STYLE.relative_to(PROJECT)}\n\nsha256 {digest}\n"


def photograph(page: Page, file: Path, last: Locator) -> str:
    """Save the page from its top down to the element `last` as a PNG. Returns the text in it, below the file's name."""
    last.wait_for()
    end = last.bounding_box()
    clip: FloatRect = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + 16 if end else 900}
    page.screenshot(path=file, full_page=True, clip=clip)
    select = "last => getSelection().setBaseAndExtent(document.body, 0, last, last.childNodes.length)"
    last.evaluate(select)
    lines = [" ".join(line.split()) for line in str(page.evaluate("getSelection().toString()")).splitlines()]
    page.evaluate("getSelection().removeAllRanges()")
    return "\n".join([f"# {file.name}", "", *filter(None, lines), "", ""])


if __name__ == "__main__":
    main()
