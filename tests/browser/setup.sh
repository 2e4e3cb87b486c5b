# What the scripts beside this one need: Debian's chromium, and Playwright in an environment of its own. Sourced.
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
# axe-core comes inside axe-playwright-python.
if ! .venv/shots/bin/python -c 'import playwright, axe_playwright_python' 2>/dev/null; then
    say "Setting up Playwright and axe-core (once) ..."
    python3 -m venv .venv/shots
    .venv/shots/bin/python -m pip install --quiet --disable-pip-version-check \
        'playwright>=1.50,<2' 'axe-playwright-python==0.1.8'
fi
