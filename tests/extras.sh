#!/usr/bin/env bash
# What some tests use and the quick start does not install; they skip themselves without it. For .ci/run, before tests/run.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh

# pip_into FOLDER PACKAGE...: beside what the build uses, not into it.
pip_into() {
  local folder=$1
  shift
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@"
}

need_packages "the manual pages" help2man
need_packages "the tests of the page" chromium chromium-driver python3-selenium
need_packages "the hosts" gir1.2-ges-1.0 gir1.2-gst-rtsp-server-1.0 python3-opencv gstreamer1.0-gtk3 gir1.2-gtk-3.0 xvfb
need_packages "reading back what is exported and published" mkvtoolnix ffmpeg python3-venv
# In no Debian. (OpenTimelineIO's package 0.18.0 holds libraries of another Python.)
pip_into build/extras 'opentimelineio>=0.18.1,<0.19' otio-cmx3600-adapter otio-fcpx-xml-adapter m3u8==6.0.0
pip_into build/extras -r examples/ray/requirements.txt duckdb==2.0.1
