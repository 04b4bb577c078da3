#!/usr/bin/env bash
# The tests whose size decides what they find, at their large sizes; the environment may name others.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
export PYCOPG_SOAK=${PYCOPG_SOAK:-1m} PYCOPG_SOAK_CANCELS=${PYCOPG_SOAK_CANCELS:-10000} PYCOPG_SOAK_RESTARTS=${PYCOPG_SOAK_RESTARTS:-20} PYCOPG_SOAK_LOADS=${PYCOPG_SOAK_LOADS:-25}

step "$PYCOPG_SOAK_CANCELS cancellations, $PYCOPG_SOAK_RESTARTS restarts, twice $PYCOPG_SOAK_LOADS loads killed"
go test -v -race -timeout=2h -run='^TestSoak' ./...
