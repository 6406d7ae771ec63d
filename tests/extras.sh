#!/usr/bin/env bash
# What some tests use and the quick start does not install; they skip themselves without it. For .ci/run, before tests/run.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh

# hls: a player, and a reader of playlists that others have written.
need_packages "players of what is published" ffmpeg python3-venv
[ -x .venv/bin/python ] || python3 -m venv .venv
[ -d .venv/extras/m3u8 ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --target .venv/extras m3u8==6.0.0
