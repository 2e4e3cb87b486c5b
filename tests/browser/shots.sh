#!/usr/bin/env bash
# Screenshots of every page of the demo: ./run shots [DIRECTORY]
# Plays the demo when there is none yet, serves it on a free port, and looks at it with a real Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."
OUT=${1:-shots}
. tests/browser/setup.sh
[ -f db/demo/news.db ] || .venv/bin/newsbeat demo --exit

PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export NEWSBEAT_SECRET="for pictures on this machine only"
.venv/bin/newsbeat --config db/demo/config --db db/demo/news.db serve --port "$PORT" --texts --now 2020-12-11T00:00:00Z &
SITE=$!
trap 'kill $SITE 2>/dev/null || true' EXIT
COOKIE=$(.venv/bin/python -c 'import os
from datasette.app import Datasette
print(Datasette([], secret=os.environ["NEWSBEAT_SECRET"]).sign({"a": {"id": "editor"}}, "actor"))')
for _ in $(seq 100); do
    curl -s -o /dev/null "http://127.0.0.1:$PORT/robots.txt" && break
    sleep 0.1
done
.venv/shots/bin/python tests/browser/shots.py "http://127.0.0.1:$PORT" "$OUT" "$COOKIE"
