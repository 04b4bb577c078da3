# shellcheck shell=bash disable=SC2034
# For the other scripts to source: pinned tools and small helpers.
# The tools come through the Go module proxy and enter no go.mod.

go127=go1.27.4

gofumpt() { go run mvdan.cc/gofumpt@v0.12.0 "$@"; }

staticcheck() { go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 "$@"; }

step() { printf '\n== %s %s\n' "$(date +%T)" "$*"; }

fail() {
	printf '%s\n' "$@" >&2
	exit 1
}

# can_apt says whether this is a Debian-like system on which we may install packages.
can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# has_pooler says whether PgBouncer is installed: Debian keeps it where only root's PATH leads.
has_pooler() { command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ]; }

# module_dirs prints the folder of every Go module of the project, the root module first.
module_dirs() {
	find . -name go.mod -not -path '*/node_modules/*' -not -path './.postgres/*' |
		sed 's|/go\.mod$||' | sort
}
