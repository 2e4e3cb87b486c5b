#!/usr/bin/env bash
# Screenshots of every page of the demo: ./run shots [DIRECTORY]
# Plays the demo when there is none yet, serves it on a free port, and looks at it with a real Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."
OUT=${1:-shots}
say() { printf '%s\n' "$*" >&2; }

if ! command -v chromium >/dev/null && [ -z "${NEWSBEAT_CHROMIUM:-}" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "Installing Debian's chromium ..."
        apt-get update -qq && apt-get install -qq -y chromium >/dev/null
    else
        say "No chromium here. On Debian: sudo apt-get install chromium; or name one in NEWSBEAT_CHROMIUM."
        exit 1
    fi
fi
if [ ! -x .venv/shots/bin/python ]; then
    say "Setting up Playwright for the pictures (once) ..."
    python3 -m venv .venv/shots
    .venv/shots/bin/python -m pip install --quiet --disable-pip-version-check 'playwright>=1.50,<2'
fi
[ -f db/demo/news.db ] || .venv/bin/newsbeat demo --exit

PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
.venv/bin/newsbeat --config db/demo/config --db db/demo/news.db serve --port "$PORT" --texts --now 2020-12-11T00:00:00Z &
SITE=$!
trap 'kill $SITE 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    curl -s -o /dev/null "http://127.0.0.1:$PORT/robots.txt" && break
    sleep 0.1
done
.venv/shots/bin/python tests/browser/shots.py "http://127.0.0.1:$PORT" "$OUT"
