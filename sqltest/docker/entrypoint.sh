#!/bin/sh
# The start of a container made by image.sh: makes a database cluster in $PGDATA where there is none, and runs its arguments.
set -eu
: "${PGDATA:=/var/lib/postgresql/data}" "${POSTGRES_USER:=postgres}" "${POSTGRES_PASSWORD:?must be set}"
export PGDATA
as_postgres="setpriv --reuid=postgres --regid=postgres --clear-groups"
mkdir -p "$PGDATA"
chown postgres "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	echo "$POSTGRES_PASSWORD" >/tmp/password
	chown postgres /tmp/password
	$as_postgres initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 --encoding UTF8 --locale C --no-sync
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
exec $as_postgres "$@" -c listen_addresses='*'
