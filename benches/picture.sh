#!/usr/bin/env bash
# A picture of the top of a report, for the README: bash benches/picture.sh REPORT.html PICTURE.png [WIDTH HEIGHT]
# Needs Chromium. The picture is of the light page; WIDTH 390 gives what a phone shows.
set -euo pipefail
report=$(realpath "${1:?expected the page}")
picture=$(realpath -m "${2:?expected the picture to write}")
"${CHROMIUM:-chromium}" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
  --window-size="${3:-1280},${4:-1800}" --screenshot="$picture" "file://$report"
