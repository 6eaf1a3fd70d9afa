"""The picture of how one value travels from a stack file to a worker in Flex, as SVG that follows the reader's light or
dark colors. Coordinates are pixels of the picture."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 880, 330
BOX_WIDTH, LINE = 196, 19
STYLE = """
text { font: 14px system-ui, "Noto Sans", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.title { font-weight: 600 } .code { font: 12.5px ui-monospace, "DejaVu Sans Mono", monospace } .note { fill: #565e68 }
rect { fill: #fff; stroke: #7d8793 } .room { fill: #f5f6f8; stroke: #d0d7de }
path { fill: none; stroke: #0b5cad; stroke-width: 1.5 }
marker path { fill: #0b5cad; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ed } .note { fill: #a3adb8 } rect { fill: #171c22 } .room { fill: #0e1216; stroke: #39424d }
  path { stroke: #7db8f5 } marker path { fill: #7db8f5 }
}
"""


def draw_flow() -> str:
    """The SVG, the same each time."""
    rooms = [
        _room(10, 20, 216, 290, "Your repository"),
        _room(250, 20, 380, 290, "Microsoft Entra"),
        _room(654, 20, 216, 290, "Twilio Flex"),
    ]
    boxes = [
        _box(20, 60, ("title", "Pulumi.prod.yaml"), ("code", 'languages: "en,de"'), ("note", "for Ada")),
        _box(20, 180, ("title", "pulumi up"), ("note", "preview, lint, preflight"), ("note", "before it writes")),
        _box(260, 60, ("title", "Extension property"), ("code", "extension_…_languages"), ("note", "Ada: en,de")),
        _box(260, 180, ("title", "Claims mapping policy"), ("code", "languages.stringarray"), ("note", "assigned")),
        _box(480, 120, ("title", "Sign-in"), ("note", "a signed SAML"), ("note", "assertion"), width=140),
        _box(664, 120, ("title", "Worker"), ("code", '"languages":'), ("code", '  ["en", "de"]')),
    ]  # fmt: skip
    arrows = [
        "M118 142V176",
        "M216 205C240 205 236 102 256 102",
        "M216 222H256",
        "M456 102C470 102 466 150 476 150",
        "M456 222C470 222 466 172 476 172",
        "M620 161H660",
    ]
    note = _text(250 + 190, 298, "note", "destroy sets every value back to what it was before", anchor="middle")
    marker = (
        '<defs><marker id="end" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    lines = [f'<path d="{arrow}" marker-end="url(#end)"/>' for arrow in arrows]
    title = "A value travels from the stack file through the extension property and the policy into the worker"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="name">',
        f'<title id="name">{title}</title>', f"<style>{STYLE}</style>",
        marker, *rooms, *boxes, *lines, note, "</svg>\n",
    ])  # fmt: skip


def _room(x: int, y: int, width: int, height: int, name: str) -> str:
    frame = f'<rect class="room" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
    return frame + _text(x + 10, y + 24, "note", name)


def _box(x: int, y: int, *lines: tuple[str, str], width: int = BOX_WIDTH) -> str:
    frame = f'<rect x="{x}" y="{y}" width="{width}" height="{LINE * len(lines) + 24}" rx="6"/>'
    return frame + _stack_lines(x + 12, y + 25, lines)


def _stack_lines(x: int, y: int, lines: Sequence[tuple[str, str]]) -> str:
    return "".join(_text(x, y + LINE * number, kind, text) for number, (kind, text) in enumerate(lines))


def _text(x: int, y: int, kind: str, text: str, anchor: str = "start") -> str:
    place = f'class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}" xml:space="preserve"'
    return f"<text {place}>{escape(text, quote=False)}</text>"
