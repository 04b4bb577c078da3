#!/usr/bin/env bash
# Makes a Docker image of the PostgreSQL that is installed on this machine: image.sh NAME[:TAG]
# It is for machines that can pull no image, and behaves as the official one does for package docker: POSTGRES_PASSWORD, PGDATA, and
# arguments for postgres. It needs a Docker engine, and Debian's PostgreSQL.
set -euo pipefail
[ $# = 1 ] || { echo "usage: image.sh NAME[:TAG]" >&2; exit 2; }

bindir=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
share=/usr/share/postgresql/$(basename "$(dirname "$bindir")")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# add copies files and folders to the same place in the image, links followed.
add() {
	local path
	for path in "$@"; do
		mkdir -p "$root$(dirname "$path")"
		cp -aL "$path" "$root$(dirname "$path")/"
	done
}

# add_programs copies programs, and the libraries that they need.
add_programs() {
	add "$@"
	ldd "$@" 2>/dev/null | sed -n 's|^.*\(\s\)\(/[^ :]*\.so[^ :]*\) .*|\2|p' | sort -u | while read -r lib; do add "$lib"; done
}

add "$share" /usr/share/zoneinfo
[ ! -d /usr/lib/locale/C.utf8 ] || add /usr/lib/locale/C.utf8
mapfile -t modules < <(find "$(dirname "$bindir")/lib" -name '*.so')
add_programs "${modules[@]}" "$bindir"/{postgres,initdb} /bin/{sh,mkdir,chown,chmod,cat} "$(command -v setpriv)"
mkdir -p "$root"/{etc,tmp,var/run/postgresql,var/lib/postgresql}
chmod 755 "$root"
chmod 1777 "$root/tmp" "$root/var/run/postgresql"
printf '%s\n' root:x:0:0::/:/bin/sh postgres:x:999:999::/var/lib/postgresql:/bin/sh >"$root/etc/passwd"
printf '%s\n' root:x:0: postgres:x:999: >"$root/etc/group"
cp "$(dirname "$0")/entrypoint.sh" "$root/entrypoint.sh"

tar -C "$root" -c . | docker import \
	--change "ENV PATH=$bindir:/usr/bin:/bin" --change 'EXPOSE 5432' \
	--change 'ENTRYPOINT ["/bin/sh","/entrypoint.sh"]' --change 'CMD ["postgres"]' - "$1"
