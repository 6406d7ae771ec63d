#!/usr/bin/env bash
# What some tests use where it is installed, and the quick start does not install: a browser for the page of vidi-ask --html.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh

need_packages "the tests of the page" chromium chromium-driver python3-selenium
