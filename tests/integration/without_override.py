"""Runs a command that permission bits bind even when root starts it.

usage: without_override.py COMMAND…

Root reads files of mode 0 because of two capabilities. Taken out of the bounding set they are
gone after the exec, in every descendant too; the user stays the same, so everything else the
command needs is still its own. For an ordinary user nothing changes. See capabilities(7).
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2

if __name__ == "__main__":
    if os.getuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")
    os.execvp(sys.argv[1], sys.argv[1:])
