"""Which picture stands for which kind of file, by its suffix."""

from __future__ import annotations

_SUFFIXES = {
    "file-type": "docx docm dotx odt rtf",
    "sheet": "xlsx xlsm xls ods csv tsv",
    "presentation": "pptx pptm ppsx odp",
    "mail": "eml mbox msg",
    "book-open": "epub mobi",
    "notebook-text": "ipynb",
    "image": "png jpg jpeg gif bmp tif tiff webp heic",
    "braces": "json jsonl yaml yml toml xml",
    "file-code": "html htm xhtml py pyi js mjs ts tsx jsx java c h cc cpp hpp cs go rs rb php "
    "sh bash sql css kt swift lua r",
    "file-text": "pdf md markdown rst txt log tex",
}
_ICONS = {suffix: icon for icon, known in _SUFFIXES.items() for suffix in known.split()}


def kind_icon(path: str) -> str:
    """The name of the icon for a file."""
    return _ICONS.get(path.rpartition(".")[2].lower(), "file")
