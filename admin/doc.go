// Package admin creates, describes and looks after what a PostgreSQL server holds: schemas, tables, indexes, roles, privileges
// and databases. Each verb is a function over a *sql.DB, *sql.Conn or *sql.Tx.
package admin
