#!/usr/bin/env bash
# vidi-ask --batch: 30 kills of 40 films, 1,000 films with bad ones, 100,000 that are done, decoding ahead, Ray; or NAME... of measure_batch.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export VIDI_BUILD=$PWD/build VIDI_SOURCE=$PWD GST_PLUGIN_PATH=${GST_PLUGIN_PATH:-$PWD/build/gst}
PYTHONPATH=tests/examples exec /usr/bin/python3 -B tests/long/measure_batch.py "$@"
