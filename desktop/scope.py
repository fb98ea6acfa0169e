"""What a conversation searches: which libraries, which of their files, under which preset."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from desktop.strings import english, figures, names

if TYPE_CHECKING:
    from engine.work.api import Conversation

Kind = Literal["paths", "file_ids", "types", "since", "until"]
MOST_PARTS = 200


@dataclass(frozen=True)
class Part:
    """One active condition, as a chip shows it: `text` on the chip, `tip` in full."""

    kind: Kind
    value: str
    text: str
    tip: str


@dataclass(frozen=True)
class Scope:
    """Never changed in place: a different choice is a different scope.

    `paths`, `types`, `since` and `until` mean what `engine.work.api.Filter` says.
    `preset` None leaves it to the engine, "" is none; `mode` None is that of the settings.
    """

    libraries: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    file_ids: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    preset: str | None = None
    mode: str | None = None
    """How passages are read, as `engine.work.api.AskSpec` names it."""
    names: dict[int, str] = field(default_factory=dict, compare=False)
    """File id → shown path, for chips; what is not known is shown as "1 file"."""

    @classmethod
    def of(cls, conversation: Conversation) -> Scope:
        """The scope a stored conversation was last asked with."""
        chosen = conversation.libraries or (
            [conversation.library] if conversation.library else []
        )
        kept = conversation.filter
        known = {hit.file_id: hit.path for turn in conversation.turns for hit in turn.passages}
        return cls(
            tuple(chosen),
            tuple(kept.paths),
            tuple(kept.file_ids),
            tuple(kept.types),
            kept.since,
            kept.until,
            conversation.preset,
            names=known,
        )

    @property
    def library(self) -> str:
        """The first library, "" for none."""
        return self.libraries[0] if self.libraries else ""

    @property
    def filtered(self) -> bool:
        """True when not every file counts."""
        return bool(self.paths or self.file_ids or self.types or self.since or self.until)

    def filter(self) -> dict[str, Any]:
        """The conditions as `engine.work.api.Filter` takes them."""
        return {
            "paths": list(self.paths),
            "file_ids": list(self.file_ids),
            "types": list(self.types),
            "since": self.since,
            "until": self.until,
        }

    def params(self) -> dict[str, Any]:
        """The part of an AskSpec or SearchSpec that says where to look."""
        if not self.libraries:
            return {}
        result: dict[str, Any] = {"library": self.library}
        if len(self.libraries) > 1:
            result["libraries"] = list(self.libraries[1:])
        if self.filtered:
            result["filter"] = self.filter()
        return result

    def parts(self) -> list[Part]:
        """Every active condition, in the order of the chips."""
        result = [
            Part("paths", path, _short(path), english.FILTER_ONLY.format(what=path))
            for path in self.paths
        ]
        for file_id in self.file_ids:
            path = self.names.get(file_id, "")
            text = names.file_name(path) if path else english.FILTER_ONE_FILE
            result.append(Part("file_ids", str(file_id), text, path or text))
        result += [
            Part("types", kind, kind, english.FILTER_ONLY.format(what=kind))
            for kind in self.types
        ]
        for kind, iso, form in (
            ("since", self.since, english.FILTER_SINCE),
            ("until", self.until, english.FILTER_UNTIL),
        ):
            if iso:
                text = form.format(day=figures.day(iso))
                result.append(Part(kind, iso, text, text))  # type: ignore[arg-type]
        return result

    def without(self, part: Part) -> Scope:
        """The scope with one condition lifted."""
        if part.kind in ("since", "until"):
            return replace(self, **{part.kind: ""})  # type: ignore[arg-type]
        kept = tuple(v for v in getattr(self, part.kind) if str(v) != part.value)
        return replace(self, **{part.kind: kept})  # type: ignore[arg-type]

    def unfiltered(self) -> Scope:
        """The same libraries and preset, every file."""
        return replace(self, paths=(), file_ids=(), types=(), since="", until="")

    def only_file(self, library_id: str, file_id: int, path: str) -> Scope:
        """Nothing but one file, in place of whatever was asked before."""
        one = (library_id,) if library_id else self.libraries
        return replace(
            self.unfiltered(), libraries=one, file_ids=(file_id,), names={file_id: path}
        )

    def only_folder(self, library_id: str, folder: str) -> Scope:
        """Nothing but one folder and what is below it."""
        one = (library_id,) if library_id else self.libraries
        return replace(self.unfiltered(), libraries=one, paths=(folder,))

    def to_json(self) -> dict[str, Any]:
        """For the settings file; the reverse of `from_json`."""
        known = {str(i): self.names[i] for i in self.file_ids if i in self.names}
        return {
            **self.filter(),
            "libraries": list(self.libraries),
            "preset": self.preset,
            "mode": self.mode,
            "names": known,
        }

    @classmethod
    def from_json(cls, data: object) -> Scope:
        """From the settings file; what is not understood is left out."""
        if not isinstance(data, dict):
            return cls()
        preset, mode = data.get("preset"), data.get("mode")
        named = data.get("names")
        return cls(
            _texts(data.get("libraries")),
            _texts(data.get("paths")),
            tuple(v for v in _items(data.get("file_ids")) if type(v) is int),
            _texts(data.get("types")),
            _text(data.get("since")),
            _text(data.get("until")),
            preset if isinstance(preset, str) else None,
            mode if isinstance(mode, str) and mode in english.MODES else None,
            {
                int(i): _text(path)
                for i, path in (named if isinstance(named, dict) else {}).items()
                if i.isascii() and i.isdigit()
            },
        )


def _items(value: object) -> list[Any]:
    return value[:MOST_PARTS] if isinstance(value, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in _items(value) if isinstance(item, str))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _short(path: str) -> str:
    """A folder or file by its last part; a pattern as it is."""
    return names.file_name(path) if path.startswith(("/", "\\")) or ":" in path[:3] else path
