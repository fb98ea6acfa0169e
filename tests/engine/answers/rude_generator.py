"""A generator that loads like the real one and then misbehaves as its argument says."""

from __future__ import annotations

import json
import sys
import time


def say(data: dict[str, object]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **data}) + "\n")
    sys.stdout.flush()


def token(request: int, text: str) -> None:
    params = {"id": request, "kind": "token", "data": {"text": text}}
    say({"method": "event", "params": params})


def main() -> None:
    manner = sys.argv[1]
    for line in sys.stdin:
        message = json.loads(line)
        if message["method"] == "load":
            say({"id": message["id"], "result": {"context": 512, "template": "own"}})
        elif message["method"] == "tokenize":
            counts = [1] * len(message["params"]["texts"])
            say({"id": message["id"], "result": {"counts": counts, "prompt": 5}})
        elif message["method"] == "generate":
            token(message["id"], "The beginning")
            if manner == "rubbish":
                print("ggml: something went wrong \x00\x01", flush=True)
            elif manner == "die":
                sys.stderr.write("GGML_ASSERT failed\n")
                sys.exit(134)
            elif manner == "hang":
                time.sleep(3600)


main()
