#!/usr/bin/env bash
# axe-core, the keyboard, no JavaScript, and hostile content on every page, in a real Chromium: ./run axe
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/browser/setup.sh
exec .venv/bin/python tests/browser/checked.py
