#!/bin/sh
# Runs its arguments with a Python of at least 3.11; one that can make virtual environments is preferred.
# PYTHON names one explicitly. Each candidate is asked, not looked up: a version manager's shim may exist and not run.
set -u

asked() { "$1" -c "import sys; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1; }
makes_venvs() { "$1" -c "import ensurepip, venv" >/dev/null 2>&1; }

if [ -n "${PYTHON:-}" ]; then
    asked "$PYTHON" && exec "$PYTHON" "$@"
    echo "PYTHON=$PYTHON is not a Python of at least 3.11: name another, or unset it." >&2
    exit 1
fi

second=
for candidate in python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
    asked "$candidate" || continue
    makes_venvs "$candidate" && exec "$candidate" "$@"
    second=${second:-$candidate}
done
[ -n "$second" ] && exec "$second" "$@"

echo "No Python of at least 3.11 was found (tried python3 and python3.11 to python3.14)." >&2
echo "Install one, or name it: PYTHON=/path/to/python3.11 make ..." >&2
exit 1
