#!/usr/bin/env bash
# Installs what some tests need beside PostgreSQL, PgBouncer and PostGIS, where it may: as root on Debian and its relatives.
# Elsewhere those tests skip without it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# missing prints the packages that are not installed: PgBouncer, and PostGIS for each PostgreSQL of Debian's.
missing() {
	local dir major
	has_pooler || echo pgbouncer
	for dir in /usr/lib/postgresql/*/; do
		major=$(basename "$dir")
		[ ! -x "$dir/bin/postgres" ] || [ -e "/usr/share/postgresql/$major/extension/postgis.control" ] ||
			echo "postgresql-$major-postgis-3"
	done
}

# apt_install installs packages without having their services started.
apt_install() {
	local policy=/usr/sbin/policy-rc.d ours=
	export DEBIAN_FRONTEND=noninteractive
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		ours=yes
	fi
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "$@" </dev/null
	[ -z "$ours" ] || rm "$policy"
}

packages=$(missing)
if [ -n "$packages" ] && can_apt; then
	step "installing" $packages
	# shellcheck disable=SC2086 # a list of words
	apt_install $packages
fi
