#!/usr/bin/env bash
# Runs the tests of admin/timescale on a server with TimescaleDB under its Apache licence: Debian 13's, in a folder of its own
# that is kept for the next run. It needs root on Debian or a relative, and debootstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

root=/var/cache/pycopg/trixie
bin=/usr/lib/postgresql/17/bin
data=/var/lib/postgresql/pycopg

inside() { chroot "$root" "$@"; }
as_postgres() { chroot --userspec=postgres:postgres "$root" "$@"; }

# mirror prints where this machine takes Debian's packages from.
mirror() { apt-cache policy | sed -nE 's|^.* (https?://[^ ]+/debian) .*|\1|p' | head -n 1; }

install_debian() {
	if ! command -v debootstrap >/dev/null; then
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap </dev/null
	fi
	rm -rf "$root"
	mkdir -p "${root%/*}"
	debootstrap --variant=minbase trixie "$root" "$(mirror)" >/dev/null
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	mkdir -p "$root/etc/postgresql-common"
	echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.conf"
	inside apt-get update -qq
	inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		postgresql-17 postgresql-17-timescaledb </dev/null >/dev/null
	touch "$root/complete"
}

# start_server starts a server on a free loopback port and sets port. It asks for no password: it lives for these tests.
start_server() {
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 54329)
	rm -rf "${root:?}$data"
	as_postgres "$bin/initdb" -D "$data" -U postgres -A trust --no-sync >/dev/null
	cat >>"$root$data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = $port
		unix_socket_directories = ''
		fsync = off
		shared_preload_libraries = 'timescaledb'
		timescaledb.telemetry_level = off
	CONF
	as_postgres "$bin/pg_ctl" -D "$data" -w -l "$data/log" start >/dev/null
}

stop_server() {
	as_postgres "$bin/pg_ctl" -D "$data" -m immediate stop >/dev/null 2>&1 || true
	rm -rf "${root:?}$data"
}

can_apt || fail "Debian 13's TimescaleDB is installed with debootstrap, as root on Debian or a relative"
if [ ! -e "$root/complete" ]; then
	step "installing Debian 13's PostgreSQL 17 with TimescaleDB"
	install_debian
fi
trap stop_server EXIT
start_server
step "TimescaleDB, Apache licence"
PYCOPG_TEST_DSN="postgres://postgres@127.0.0.1:$port/postgres" go test -race -shuffle=on -timeout=5m ./admin/timescale
