// Package backup dumps and restores databases with PostgreSQL's own programs, pg_dump, pg_restore and psql.
//
//	err := backup.Dump(ctx, db, backup.DumpOptions{Path: "shop.dump"})
//	err = backup.Restore(ctx, copyOfShop, backup.RestoreOptions{Path: "shop.dump"})
//
// The database is the one that the handle leads to, a *sql.DB, *sql.Conn or *sql.Tx of package driver, behind wrapping drivers too.
//
// # Connecting
//
// The programs connect by themselves, as the handle does: to the same server, with its user, TLS and run-time parameters.
// They are told by their environment and, what is secret, by files that only the user can read and that are gone afterwards; their
// command line holds no more than the name of the database. PG* variables of this process do not count. A password that
// Config.BeforeConnect sets is asked for once more. What the programs cannot do as the handle does is an error that says so: a
// Dial or TLSConfig hook, an OAuth token, a requirement that is newer than they are. Options.Config gives other settings then.
//
// # The programs
//
// They are looked for in PATH and in the folders where systems put them, in the version of the server if there is a choice.
// [ErrToolNotFound] says how to install them. pg_dump must not be older than the server, nor pg_restore than the pg_dump of the archive ([ErrToolVersion]).
// A program that fails is a *[ToolError] with what it said.
//
// # When the context ends
//
// The program and its helpers are stopped and waited for, and their sessions on the server are ended. A dump that did not succeed,
// for whatever reason, leaves no file: it is written beside its place and renamed at the end. What went to an io.Writer
// went there.
package backup
