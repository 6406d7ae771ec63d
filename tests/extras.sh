#!/usr/bin/env bash
# What some tests read the product's files with and the quick start does not install: they skip themselves where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh

need_packages "the tests of the page" chromium chromium-driver python3-selenium
need_packages "reading back what is exported" mkvtoolnix ffmpeg python3-venv
# OpenTimelineIO is in no Debian. (The package 0.18.0 of it holds libraries of another Python.)
[ -x build/extras/bin/python ] || python3 -m venv build/extras
build/extras/bin/pip install --quiet 'opentimelineio>=0.18.1,<0.19' otio-cmx3600-adapter otio-fcpx-xml-adapter
