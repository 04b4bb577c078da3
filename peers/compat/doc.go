// Package compat holds no code, only tests: the same programs run on this driver and on its peers, pgx/stdlib and
// lib/pq, in one process, and every difference is in a table that says why.
//
//   - args_*: what each (Go value, SQL type) stores, in every execution mode and on every use.
//   - results_*: what Scan(*any), a sql.Scanner and ColumnTypes get for each kind of result.
//   - errors_*: errors.As into the error types of both peers.
//   - program_*: short programs of sqlx, sqlc, GORM, bun, goose, otelsql, lib/pq and pgx users.
package compat
