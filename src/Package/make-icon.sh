#!/usr/bin/env bash
# Draws icon.png from icon.svg. Needs rsvg-convert (Debian's librsvg2-bin).
set -euo pipefail
cd "$(dirname "$0")"
rsvg-convert -w 128 -h 128 icon.svg -o icon.png
