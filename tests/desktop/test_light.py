"""The window's own process stays light: shown, walked through, then looked at from inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "transformers",
    "peft",
    "sentence_transformers",
    "lancedb",
    "pyarrow",
    "llama_cpp",
    "numpy",
    "tokenizers",
    "pandas",
    "gguf",
    "pypdfium2",
    "lxml",
    "psutil",
)
WALK = """
import json, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from desktop.app import App
from engine.paths import Home

application = QApplication(["walk"])
host = [sys.executable, "-m", "tests.desktop.scripted_host"]
app = App(application, Home(Path(sys.argv[1])), host)
app.window.show()
application.processEvents()
early = sorted(sys.modules)
app._begin()
while not app.state.known:
    application.processEvents()
window = app.window
window.open_conversation("c0")
while not window.ask.views():
    application.processEvents()
window.ask.open_source(1)
while window.ask.viewer.showing() is None:
    application.processEvents()
for page in ("start", "ask", "library", "models", "tune", "settings"):
    window.show_page(page)
    application.processEvents()
late = sorted(sys.modules)
app.close()
print(json.dumps([early, late]))
"""


def test_the_process_of_the_window_loads_nothing_heavy(tmp_path: Path) -> None:
    import json

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", WALK, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    early, late = (set(names) for names in json.loads(ended.stdout.splitlines()[-1]))
    assert not {name for name in late if name.split(".")[0] in HEAVY}
    assert "PySide6.QtNetwork" not in late
    # Loading what checks messages costs a tenth of a second: the window comes first.
    assert "pydantic" not in early
    assert "pydantic" in late
