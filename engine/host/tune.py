"""The training process: a run from its folder, or a plan over stdin and stdout.

`python -m engine.host.tune RUN_DIR` does a run and ends; it is started detached, so that it
goes on when the window closes. Without an argument it serves `plan`.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from pathlib import Path
from typing import Any

# Before torch is loaded: its threads must not spin while others want the cores.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("TQDM_DISABLE", "1")

from filelock import Timeout

from engine.paths import default_home
from engine.store.db import Store
from engine.tuning.run_folder import RunFolder, process_seconds
from engine.work.api import TuneSpec
from engine.work.jobs import Job
from engine.work.serve import serve


def plan(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Measure what a training would take; see `engine.tuning.training.preparing`."""
    from engine.tuning.training.preparing import make_plan, prepare, with_spent

    spec = TuneSpec.model_validate(params)
    home = default_home()
    store = Store(home)
    try:
        subject = prepare(spec, home, store, job)
        # A run finds the base made; all the rest of this it does again.
        spent_s = process_seconds() - subject.convert_s
        made = make_plan(subject, home, job, spent_s)
        spent_s = process_seconds() - subject.convert_s
        return with_spent(made, 0.0, spent_s).model_dump(mode="json")
    finally:
        store.close()


def run(folder: RunFolder) -> int:
    """Do a run; 0 when it ended in good order, whatever came of it."""
    try:
        with folder.held():
            # torch and transformers take seconds to load: the run is ours first.
            folder.take_over(os.getpid())
            from engine.tuning.training.running import Run

            Run(folder, default_home()).execute()
    except Timeout:
        print("another process trains here", file=sys.stderr)
        return 1
    return 0


def main() -> None:
    """Do the run named on the command line, or serve plans."""
    if len(sys.argv) > 1:
        faulthandler.enable()  # a crash of native code then leaves a trace in the run's log
        code = run(RunFolder(Path(sys.argv[1])))
        sys.stderr.flush()
        os._exit(code)  # native threads may never end
    serve({"plan": plan})


if __name__ == "__main__":
    main()
