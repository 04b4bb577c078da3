#!/usr/bin/env bash
# Tests sqltest/docker with a Docker engine: the one that answers, or one that is installed and started for this run, as root on Debian.
# The image is made of the PostgreSQL that is installed. Where no engine can be had, the tests are skipped, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
export GOWORK=off

work=$(mktemp -d)
pid=
# Containers are removed, and the engine that was started here ends.
finish() {
	docker ps -aq --filter label=pycopg.sqltest 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || true
	[ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" || true; }
	umount "$work"/exec/netns/* 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

# start_engine starts a dockerd of its own, which changes no firewall and keeps all it has below $work.
start_engine() {
	command -v dockerd >/dev/null || {
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io </dev/null >/dev/null
	}
	export DOCKER_HOST=unix://$work/sock
	dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" \
		--storage-driver vfs --iptables=false --ip-masq=false >"$work/log" 2>&1 &
	pid=$!
	for _ in $(seq 60); do
		docker info >/dev/null 2>&1 && return
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.5
	done
	tail -3 "$work/log" >&2
	return 1
}

step "Docker"
if docker info >/dev/null 2>&1 || { can_apt && start_engine; }; then
	export PYCOPG_DOCKER_IMAGE=pycopg/postgres:local
	if sqltest/docker/image.sh "$PYCOPG_DOCKER_IMAGE"; then
		docker info --format 'engine {{.ServerVersion}}, storage {{.Driver}}'
	else
		unset PYCOPG_DOCKER_IMAGE
	fi
else
	echo "no Docker engine can be had here: its tests are skipped" >&2
fi
(cd sqltest/docker && go test -count=1 -timeout=10m -v . | grep -v '^=== ')
