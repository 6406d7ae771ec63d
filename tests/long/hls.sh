#!/usr/bin/env bash
# vidi-watch --hls: a camera against the truth (10 min), segments without end (60 min), kills (200); or MINUTES MINUTES KILLS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export VIDI_BUILD=$PWD/build VIDI_SOURCE=$PWD GST_PLUGIN_PATH=${GST_PLUGIN_PATH:-$PWD/build/gst}
PYTHONPATH=tests/examples exec /usr/bin/python3 -B tests/long/measure_hls.py "${1:-10}" "${2:-60}" "${3:-200}"
