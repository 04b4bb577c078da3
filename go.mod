module github.com/pycopg/pycopg

go 1.26.0

require (
	github.com/DATA-DOG/go-sqlmock v1.5.2
	github.com/jackc/pgx/v5 v5.12.0
	golang.org/x/text v0.41.0 // admin: passwords are hashed in their Unicode form NFKC, as clients do; pgx needs it anyhow
)

require (
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect; driver/stdlib: pgxpool, of OpenDBFromPool, keeps its connections in it
	golang.org/x/sync v0.22.0 // indirect; driver/stdlib: puddle needs it
)
