// Package migrate applies numbered SQL files to a database, once each and in order, and takes them back.
//
//	//go:embed migrations/*.sql
//	var files embed.FS
//
//	migrations, err := fs.Sub(files, "migrations")
//	steps, err := migrate.Up(ctx, db, migrations, migrate.Options{})
//
// # Files
//
// A migration is one file with two sections, as Python's pycopg has them,
//
//	001_create_users.sql
//
//	-- UP
//	create table users (id bigint primary key, email text not null);
//
//	-- DOWN
//	drop table users;
//
// or two files, 001_create_users.up.sql and 001_create_users.down.sql. A file without the markers is all up; a down section
// or file may be missing. The number may have any number of digits (a date and time, say) and gaps. Markers are comments with a line
// to themselves, in any case; one inside a string, a function's body or another comment is none.
//
// [Load] refuses what would go wrong later: a .sql file of another name, two migrations of one number, a second marker, statements
// ahead of the first marker, and statements that begin or end transactions.
//
// # Transactions
//
// Each migration is one transaction, together with the row that records it: it is applied and recorded, or neither. For
// statements that PostgreSQL refuses inside a transaction, as create index concurrently, a section (or, ahead of the markers, the
// whole file) says
//
//	-- NO TRANSACTION
//
// Its statements run one by one then. The row is written before the first one and says which statement is running; when
// one fails, or the connection does, it stays so, and every later run is [ErrUnfinished] until [Resolve] has said
// whether the migration counts as applied.
//
// What a migration sets for its session (search_path, a role) and its temporary tables are gone when the next one starts, and
// the connection does not go back to the pool.
//
// # The record
//
// The table schema_migrations, or Options.Table, has a row for each applied migration: number, name, time, and a SHA-256 of
// the up section. A table of Python's pycopg is taken over; the Python library can go on using it. One run at a time changes
// it: others wait, by an advisory lock, without a snapshot that would hold up create index concurrently.
package migrate
