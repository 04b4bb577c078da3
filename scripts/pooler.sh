#!/usr/bin/env bash
# Installs PgBouncer for the tests where it may: as root on Debian and its relatives. Elsewhere they skip without it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# apt_install installs PgBouncer without having the service started.
apt_install() {
	local policy=/usr/sbin/policy-rc.d ours=
	export DEBIAN_FRONTEND=noninteractive
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		ours=yes
	fi
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends pgbouncer </dev/null
	[ -z "$ours" ] || rm "$policy"
}

if ! has_pooler && can_apt; then
	step "installing PgBouncer"
	apt_install
fi
