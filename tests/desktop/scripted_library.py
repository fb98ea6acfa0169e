"""The library side of the scripted host: many files, following, pausing, sizes."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from engine.errors import InvalidInput
from engine.work import api
from engine.work.jobs import Job

SCAN = "Only a picture of text: it would have to be read like a scan."
_KINDS = {
    ".pdf": "PDF",
    ".docx": "Word",
    ".md": "Markdown",
    ".xlsx": "Spreadsheet",
    ".pptx": "Presentation",
    ".eml": "Mail",
    ".py": "Source code",
}


@cache
def all_files(hostile: str, number: int) -> tuple[api.FileRow, ...]:
    """The same files for every library: the first ones one of each state."""
    listed = [
        hostile,
        "Metformin-SOP-v7.pdf",
        "Site-protocol-Nairobi.docx",
        "Minutes.md",
        "broken.pdf",
    ]
    suffixes = [".pdf"] * 5 + [".xlsx", ".pptx", ".eml", ".py", ".docx"]
    listed += [f"report-{i:04}{suffixes[i // 50 % 10]}" for i in range(number - 5)]
    states = ["indexed", "indexed", "indexed", "read", "skipped", "waiting", "skipped"]
    start = datetime(2026, 5, 3, 14, 2, tzinfo=UTC)
    rows = []
    for i, name in enumerate(listed):
        suffix = os.path.splitext(name)[1]
        rows.append(
            api.FileRow.model_validate(
                {
                    "file_id": i,
                    "path": f"/home/ada/Clinic protocols/2024/{name}",
                    "name": name,
                    "kind": _KINDS.get(suffix, "PDF"),
                    "state": states[i] if i < len(states) else "indexed",
                    "reason": {
                        4: "The file is damaged: its last part is missing.",
                        6: SCAN,
                    }.get(i, ""),
                    "size_bytes": 20_000 + (i * 7919) % 4_000_000,
                    "modified_at": (start - timedelta(hours=(i * 37) % 9000)).isoformat(),
                    "pages": 12 if suffix == ".pdf" else 0,
                    "passages": 0 if i in (4, 5, 6) else 40,
                    "title": name,
                    "scan_pages": 12 if i == 6 else 0,
                    "scan_seconds": 42.0 if i == 6 else 0.0,
                }
            )
        )
    return tuple(rows)


class LibrarySide:
    """Part of the scripted host; what it is asked goes to `asked` for tests to see."""

    libraries: list[api.LibraryView]
    hostile = ""
    states_bytes = 96_000_000

    def changed(self, *what: str) -> None:
        raise NotImplementedError

    def notify(self, method: str, params: dict[str, Any]) -> None:
        raise NotImplementedError

    def find(self, library: str) -> api.LibraryView:
        found = [view for view in self.libraries if library in (view.id, view.name)]
        if not found:
            raise InvalidInput("There is no such library.")
        return found[0]

    def files(self, spec: api.FilesSpec, job: Job) -> api.View:
        match = spec.match.casefold()
        rows = [
            row
            for row in all_files(self.hostile, int(os.environ.get("FILES", "5005")))
            if match in row.path.casefold() and spec.state in (None, row.state)
        ]
        if spec.sort != "name" or spec.descending:
            key = {"modified": "modified_at", "size": "size_bytes"}.get(spec.sort, spec.sort)
            rows.sort(key=lambda row: getattr(row, key), reverse=spec.descending)
        return api.FilesPage(total=len(rows), rows=rows[spec.offset : spec.offset + spec.limit])

    # --- following ------------------------------------------------------------------------

    def follow(self, spec: Any, job: Job) -> api.View:
        for at, view in enumerate(self.libraries):
            view.following = ("live", "scanning", "lost")[at % 3]
            view.following_reason = (
                "",
                "The folder is on a network drive. It is looked through every 5 minutes.",
                "The folder /media/usb/Contracts cannot be reached.",
            )[at % 3]
            past = timedelta(seconds=(10, 150, 90_000)[at % 3])
            view.agreed_at = (datetime.now(UTC) - past).isoformat()
        if self.libraries and (pending := os.environ.get("PENDING")):
            self.libraries[0].pending_passages = int(pending)
        self.changed("libraries")
        if events := os.environ.get("EVENTS"):
            threading.Thread(target=self._run, args=(int(events),), daemon=True).start()
        return api.Empty()

    def _run(self, steps: int) -> None:
        """A run that nobody asked for: as long as EVENT_S a step, told like the real one."""
        view = self.libraries[0]
        told = {"library_id": view.id, "name": view.name}
        for step in range(steps):
            if view.following == "paused":
                self.notify("indexing", {**told, "ended": True})
                return
            left = (steps - step) * float(os.environ.get("EVENT_S", "0.02"))
            note = f"report-{step:03}.pdf"
            params = {**told, "done": step, "total": steps, "note": note, "eta_s": left}
            self.notify("indexing", params)
            time.sleep(float(os.environ.get("EVENT_S", "0.02")))
        message = os.environ.get("EVENT_MESSAGE", "")
        if message:
            self.notify("indexing", {**told, "ended": True, "message": message})
            return
        report = api.IndexReport(
            library=view.name,
            library_id=view.id,
            files=api.FileCounts(indexed=steps, unchanged=400),
            passages=steps * 20,
            seconds=1.0,
            passages_per_second=20,
        )
        ended = {**told, "ended": True, "report": report.model_dump(mode="json")}
        self.notify("indexing", ended)

    def pause(self, spec: api.LibraryRef, job: Job) -> api.View:
        view = self.find(spec.library)
        view.following, view.following_reason = "paused", "Paused: changes are not noticed."
        self.changed("libraries")
        return api.Empty()

    def resume(self, spec: api.LibraryRef, job: Job) -> api.View:
        view = self.find(spec.library)
        view.following, view.following_reason = "live", ""
        view.agreed_at = datetime.now(UTC).isoformat()
        self.changed("libraries")
        return api.Empty()

    # --- changing -------------------------------------------------------------------------

    def rename(self, spec: api.RenameLibrarySpec, job: Job) -> api.View:
        view = self.find(spec.library)
        view.name = spec.name
        self.changed("libraries")
        return view

    def remove_root(self, spec: api.RootSpec, job: Job) -> api.View:
        view = self.find(spec.library)
        view.roots = [root for root in view.roots if root != spec.folder]
        self.changed("libraries")
        return view

    def retry(self, spec: api.RetrySpec, job: Job) -> api.View:
        view = self.find(spec.library)
        job.emit("library", {"id": view.id})
        for step in range(len(spec.file_ids)):
            job.checkpoint()
            job.progress(step, len(spec.file_ids), "report-000.pdf")
            time.sleep(0.02)
        scans = " with its scans" if spec.scans == "all" else ""
        return api.IndexReport(
            library=f"{view.name}{scans}",
            library_id=view.id,
            files=api.FileCounts(indexed=len(spec.file_ids)),
            passages=len(spec.file_ids) * 20,
            seconds=0.5,
            passages_per_second=40,
        )

    def storage(self, spec: Any, job: Job) -> api.View:
        sizes = {
            "libraries": 182_400_000,
            "conversations": 3_120_000,
            "models": 986_000_000,
            "scans": 12_400_000,
            "states": self.states_bytes,
            "logs": 840_000,
            "other": 2_048,
        }
        return api.StorageReport(
            home="/home/ada/.local/share/whetstone",
            parts=[
                api.StoredPart.model_validate({"name": n, "size_bytes": s})
                for n, s in sizes.items()
            ],
        )

    def library_handlers(self) -> dict[str, Any]:
        return {
            "libraries.files": self.files,
            "follow": self.follow,
            "libraries.pause": self.pause,
            "libraries.resume": self.resume,
            "libraries.rename": self.rename,
            "libraries.remove_root": self.remove_root,
            "libraries.retry": self.retry,
            "storage": self.storage,
        }
