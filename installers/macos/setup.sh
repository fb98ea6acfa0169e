#!/bin/sh
# Sets Whetstone up on macOS and starts it. Not run by its authors: macOS was not at hand.
# usage: installers/macos/setup.sh [cpu|metal]
set -eu
cd "$(dirname "$0")/../.."
if ! xcode-select -p >/dev/null 2>&1; then
  echo "Apple's command line tools are missing (they compile llama.cpp). Run: xcode-select --install" >&2
  exit 1
fi
# make comes with those tools; the rest is the same as on Linux.
if [ -n "${1:-}" ]; then
  exec make run GPU="$1"
fi
exec make run
