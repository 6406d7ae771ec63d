#!/usr/bin/env bash
# Packages that only some tests need, which skip themselves without them. The quick start and tests/run.sh install none of these.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh

need_packages "tests that skip themselves otherwise (manual pages)" \
  help2man
