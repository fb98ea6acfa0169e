"""Runs a command in which no process can open an internet socket, and notes every try.

usage: no_internet.py REPORT -- COMMAND…

A seccomp filter, inherited by every process the command starts, hands each `socket()` call
with AF_INET or AF_INET6 to this launcher, which refuses it (EACCES) and writes a line into
REPORT. That counts tries in grandchildren too, whose deaths nobody would see if the filter
just killed. io_uring, which can open sockets past such a filter, is refused as well.
AF_UNIX and the rest work as ever.

A reader process refuses itself every socket before it opens a file; the kernel takes that
refusal first, so what a document's parser might try there is refused but not counted here.

Exit status: the command's own (128 + signal when killed); 96 when the kernel refuses the
filter; 97 when there was a try; 98 when processes of the command were still running
`LINGER_S` after it ended.

See seccomp(2) and seccomp_unotify(2).
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path

REFUSED, TRIED, LINGERING = 96, 97, 98
LINGER_S = 20.0

# machine → (AUDIT_ARCH_…, nr of seccomp, nr of socket); io_uring_setup is 425 everywhere
MACHINES = {"x86_64": (0xC000003E, 317, 41), "aarch64": (0xC00000B7, 277, 198)}
IO_URING_SETUP = 425

ALLOW, USER_NOTIF, REFUSE, KILL = 0x7FFF0000, 0x7FC00000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # ld [k], jeq, jge, ret
X32_BIT = 0x40000000

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER, NEW_LISTENER = 1, 1 << 3
NOTIFICATION, REPLY = struct.Struct("=QII iIQ6Q"), struct.Struct("=QqiI")
RECEIVE, SEND = 0xC0502100, 0xC0182101

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def filter_program(machine: str) -> bytes:
    """The classic BPF program, as the kernel reads it (struct sock_filter[])."""
    arch, _, socket_nr = MACHINES[machine]
    # (code, jump if true, jump if false, k); jumps count instructions to pass over
    rows = [
        (LOAD, 0, 0, 4),  # 0: seccomp_data.arch
        (EQUAL, 0, 8, arch),  # 1: another calling convention → KILL
        (LOAD, 0, 0, 0),  # 2: seccomp_data.nr
        (AT_LEAST, 6, 0, X32_BIT),  # 3: x32 calls have other numbers → KILL
        (EQUAL, 6, 0, IO_URING_SETUP),  # 4: → REFUSE
        (EQUAL, 0, 3, socket_nr),  # 5: anything but socket() → ALLOW
        (LOAD, 0, 0, 16),  # 6: lower half of the first argument
        (EQUAL, 4, 0, socket.AF_INET),  # 7: → USER_NOTIF
        (EQUAL, 3, 0, socket.AF_INET6),  # 8: → USER_NOTIF
        (RETURN, 0, 0, ALLOW),  # 9
        (RETURN, 0, 0, KILL),  # 10
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),  # 11
        (RETURN, 0, 0, USER_NOTIF),  # 12
    ]
    return b"".join(struct.pack("=HBBI", *row) for row in rows)


def install_filter() -> int:
    """Put this process, and all it will start, under the filter; returns the listener.

    Raises:
        OSError: the kernel refused.
    """
    machine = platform.machine()
    instructions = filter_program(machine)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.addressof(buffer))
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    listener = _libc.syscall(
        MACHINES[machine][1], SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(program)
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def start(command: list[str]) -> tuple[int, int]:
    """Start the command under the filter; returns its process id and the listener."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    child = os.fork()  # this launcher has one thread, so forking is safe
    if child == 0:
        try:
            listener = install_filter()
            theirs.sendmsg(
                [b"x"],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))],
            )
            os.close(listener)
            os.execvp(command[0], command)
        except OSError as error:
            print(f"no_internet: {error}", file=sys.stderr)
            os._exit(REFUSED if error.filename is None else 127)
    theirs.close()
    _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    if not ancillary:
        raise SystemExit(REFUSED)
    return child, struct.unpack("i", ancillary[0][2])[0]


def refuse(listener: int) -> str:
    """Answer one notification with EACCES; returns a line that says who tried what."""
    notification = bytearray(NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, RECEIVE, notification)
    except OSError:
        return ""  # the caller was killed meanwhile
    identity, pid, _, _, _, _, family, *_ = NOTIFICATION.unpack(notification)
    try:
        who = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        who = "?"
    try:
        fcntl.ioctl(listener, SEND, REPLY.pack(identity, 0, -errno.EACCES, 0))
    except OSError:
        pass
    name = "AF_INET6" if family == socket.AF_INET6 else "AF_INET"
    return f"{name} by {pid}: {who}"


def watch(child: int, listener: int, report: Path) -> int:
    """Serve the listener until every process under the filter has ended."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    code: int | None = None
    ended_at = 0.0
    tries = 0
    while True:
        for _, event in poll.poll(100):
            if event & select.POLLIN and (line := refuse(listener)):
                tries += 1
                with report.open("a", encoding="utf-8") as stream:
                    stream.write(line + "\n")
            elif event & (select.POLLHUP | select.POLLERR):
                if code is None:
                    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                return TRIED if tries else code if code >= 0 else 128 - code
        if code is None:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                code, ended_at = os.waitstatus_to_exitcode(status), time.monotonic()
        elif time.monotonic() - ended_at > LINGER_S:
            print("no_internet: processes are still running", file=sys.stderr)
            return LINGERING


def main() -> int:
    """Run the command line; see the top of this file."""
    report, dashes, *command = sys.argv[1:]
    if dashes != "--" or not command:
        print(__doc__, file=sys.stderr)
        return 2
    Path(report).write_text("", "utf-8")
    child, listener = start(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: os.kill(child, received))
    return watch(child, listener, Path(report))


if __name__ == "__main__":
    sys.exit(main())
