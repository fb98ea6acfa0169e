"""What this machine has: processor, cores, memory, graphics. No torch, no llama.cpp."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Cpu:
    """The processor: its name, physical cores this process may use, and its instructions."""

    name: str
    cores: int
    flags: frozenset[str]

    @property
    def has_bf16(self) -> bool:
        """Multiplies bfloat16 in hardware; without it torch emulates bf16 slowly."""
        return bool(self.flags & {"avx512_bf16", "amx_bf16", "bf16"})

    @property
    def has_int8(self) -> bool:
        """Multiplies 8-bit integers in hardware (VNNI, AMX or Arm dot product)."""
        return bool(
            self.flags & {"avx512_vnni", "avx_vnni", "avxvnni", "amx_int8", "asimddp", "i8mm"}
        )


@functools.cache
def cpu() -> Cpu:
    """The processor, read once."""
    return Cpu(_cpu_name(), _usable_cores(), _cpu_flags())


def _cpu_name() -> str:
    for line in _cpuinfo():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    return platform.processor() or platform.machine()


def _cpu_flags() -> frozenset[str]:
    for line in _cpuinfo():
        if line.startswith(("flags", "Features")):
            return frozenset(line.partition(":")[2].split())
    if platform.system() == "Darwin":
        features = {"FEAT_BF16": "bf16", "FEAT_DotProd": "asimddp", "FEAT_I8MM": "i8mm"}
        return frozenset(
            flag
            for name, flag in features.items()
            if _output("sysctl", "-n", f"hw.optional.arm.{name}") == "1"
        )
    return frozenset()


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _usable_cores() -> int:
    """Physical cores, but never more than this process may run on."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    logical = psutil.cpu_count(logical=True) or physical
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return max(1, min(physical, allowed))


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@dataclass(frozen=True)
class Gpu:
    """A graphics processor seen without loading any driver library into this process."""

    name: str
    memory_bytes: int
    free_bytes: int


@functools.cache
def gpus() -> tuple[Gpu, ...]:
    """NVIDIA GPUs as `nvidia-smi` lists them; Apple's as one with the unified memory."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        memory = psutil.virtual_memory()
        return (Gpu("Apple GPU", memory.total, memory.available),)
    query = "--query-gpu=name,memory.total,memory.free"
    rows = _output("nvidia-smi", query, "--format=csv,noheader,nounits").splitlines()
    found: list[Gpu] = []
    for row in rows:
        name, _, rest = row.partition(",")
        total, _, free = rest.partition(",")
        if total.strip().isdigit() and free.strip().isdigit():
            found.append(Gpu(name.strip(), int(total) << 20, int(free) << 20))
    return tuple(found)


def memory_bytes() -> int:
    """Installed memory, or the container's limit when that is lower."""
    return min([psutil.virtual_memory().total, *_cgroup_limits()])


def memory_available_bytes() -> int:
    """Memory that can be used now without swapping."""
    return min([psutil.virtual_memory().available, *_cgroup_limits()])


def _cgroup_limits() -> list[int]:
    limits: list[int] = []
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text.isdigit():
            limits.append(int(text))
    return limits


@functools.cache
def fingerprint() -> str:
    """A short name for this machine's speed: measurements are remembered under it."""
    known = (
        platform.system(),
        platform.machine(),
        cpu().name,
        str(cpu().cores),
        ",".join(sorted(cpu().flags)),
        ",".join(gpu.name for gpu in gpus()),
    )
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]
