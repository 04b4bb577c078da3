#!/usr/bin/env bash
# Finds PostgreSQL's server programs in the places where package sqltest looks for them, and
# installs them where it may: as root on Debian and its relatives. It starts no server.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# candidate_dirs prints the folders that may hold the server programs, one a line.
candidate_dirs() {
	local initdb dir
	initdb=$(command -v initdb || true)
	[ -z "$initdb" ] || dirname "$initdb"
	! command -v pg_config >/dev/null || pg_config --bindir
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib64/pgsql/bin /usr/local/pgsql/bin \
		/opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
		/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin \
		/Applications/Postgres.app/Contents/Versions/*/bin /Library/PostgreSQL/*/bin \
		"/c/Program Files/PostgreSQL"/*/bin; do
		printf '%s\n' "$dir"
	done
}

# has_server says whether a folder holds the programs that make and run a server.
has_server() {
	local program
	for program in initdb postgres; do
		[ -x "$1/$program" ] || [ -x "$1/$program.exe" ] || return 1
	done
}

find_server() {
	local dir
	if [ -n "${PYCOPG_PG_BINDIR:-}" ]; then
		has_server "$PYCOPG_PG_BINDIR" || fail "PYCOPG_PG_BINDIR=$PYCOPG_PG_BINDIR holds no initdb and postgres"
		return
	fi
	while read -r dir; do
		if has_server "$dir"; then
			return
		fi
	done < <(candidate_dirs)
	return 1
}

# apt_install installs Debian's PostgreSQL without the cluster that the package would create and
# start. The setting that prevents it is put back to the package's own afterwards.
apt_install() {
	local conf=/etc/postgresql-common/createcluster.conf ours=
	export DEBIAN_FRONTEND=noninteractive
	if [ ! -e "$conf" ]; then
		mkdir -p "${conf%/*}"
		echo 'create_main_cluster = false' >"$conf"
		ours=yes
	fi
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold postgresql </dev/null
	[ -z "$ours" ] || cp "/usr/share/postgresql-common/${conf##*/}" "$conf"
}

if [ -n "${PYCOPG_TEST_DSN:-}" ] || find_server; then
	exit 0
fi
if can_apt; then
	step "installing Debian's PostgreSQL"
	apt_install
	find_server && exit 0
fi
fail "PostgreSQL's server programs (initdb, postgres) were not found. Install them:" \
	"  Debian, Ubuntu:  sudo apt-get install postgresql" \
	"  Fedora, RHEL:    sudo dnf install postgresql-server" \
	"  macOS:           brew install postgresql@18" \
	"or name their folder in PYCOPG_PG_BINDIR, or a running server in PYCOPG_TEST_DSN" \
	"(make demo also takes DATABASE_URL)."
