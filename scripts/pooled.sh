#!/usr/bin/env bash
# Runs the driver's tests through PgBouncer in transaction mode, apart from those that the package names, and from the large
# ones that have servers or proxies of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
PYCOPG_TEST_POOLER=transaction exec go test -shuffle=on -timeout=15m \
	-skip='^TestSoak|^TestAgainstATLSServer$|^TestCutConnections|^Fuzz' ./driver
