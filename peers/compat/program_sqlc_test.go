package compat

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	pqdriver "github.com/lib/pq"

	"github.com/pycopg/pycopg/sqltest"
)

// What sqlc generates for database/sql, in its shape: an interface, a struct of queries with prepared statements, and a
// method for each query.

type dbtx interface {
	ExecContext(context.Context, string, ...interface{}) (sql.Result, error)
	PrepareContext(context.Context, string) (*sql.Stmt, error)
	QueryContext(context.Context, string, ...interface{}) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...interface{}) *sql.Row
}

type queries struct {
	db             dbtx
	tx             *sql.Tx
	createCityStmt *sql.Stmt
	listCitiesStmt *sql.Stmt
	dropCitiesStmt *sql.Stmt
}

func prepareQueries(ctx context.Context, db dbtx) (*queries, error) {
	q := queries{db: db}
	var err error
	if q.createCityStmt, err = db.PrepareContext(ctx, createCity); err != nil {
		return nil, fmt.Errorf("error preparing query CreateCity: %w", err)
	}
	if q.listCitiesStmt, err = db.PrepareContext(ctx, listCities); err != nil {
		return nil, fmt.Errorf("error preparing query ListCities: %w", err)
	}
	if q.dropCitiesStmt, err = db.PrepareContext(ctx, dropCities); err != nil {
		return nil, fmt.Errorf("error preparing query DropCities: %w", err)
	}
	return &q, nil
}

func (q *queries) queryRow(ctx context.Context, stmt *sql.Stmt, query string, args ...interface{}) *sql.Row {
	switch {
	case stmt != nil && q.tx != nil:
		return q.tx.StmtContext(ctx, stmt).QueryRowContext(ctx, args...)
	case stmt != nil:
		return stmt.QueryRowContext(ctx, args...)
	default:
		return q.db.QueryRowContext(ctx, query, args...)
	}
}

func (q *queries) query(ctx context.Context, stmt *sql.Stmt, query string, args ...interface{}) (*sql.Rows, error) {
	switch {
	case stmt != nil && q.tx != nil:
		return q.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...)
	case stmt != nil:
		return stmt.QueryContext(ctx, args...)
	default:
		return q.db.QueryContext(ctx, query, args...)
	}
}

func (q *queries) exec(ctx context.Context, stmt *sql.Stmt, query string, args ...interface{}) (sql.Result, error) {
	switch {
	case stmt != nil && q.tx != nil:
		return q.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
	case stmt != nil:
		return stmt.ExecContext(ctx, args...)
	default:
		return q.db.ExecContext(ctx, query, args...)
	}
}

func (q *queries) withTx(tx *sql.Tx) *queries {
	c := *q
	c.db, c.tx = tx, tx
	return &c
}

const createCity = `-- name: CreateCity :one
insert into city (name, people, tags) values ($1, $2, $3) returning id, name, people, tags
`

type createCityParams struct {
	Name   string
	People sql.NullInt64
	Tags   []string
}

type cityRow struct {
	ID     int64
	Name   string
	People sql.NullInt64
	Tags   []string
}

func (q *queries) createCity(ctx context.Context, arg createCityParams) (cityRow, error) {
	row := q.queryRow(ctx, q.createCityStmt, createCity, arg.Name, arg.People, pqdriver.Array(arg.Tags))
	var i cityRow
	err := row.Scan(&i.ID, &i.Name, &i.People, pqdriver.Array(&i.Tags))
	return i, err
}

const listCities = `-- name: ListCities :many
select id, name, people, tags from city where name = any($1::text[]) order by id
`

func (q *queries) listCities(ctx context.Context, names []string) ([]cityRow, error) {
	rows, err := q.query(ctx, q.listCitiesStmt, listCities, pqdriver.Array(names))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []cityRow
	for rows.Next() {
		var i cityRow
		if err := rows.Scan(&i.ID, &i.Name, &i.People, pqdriver.Array(&i.Tags)); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return items, nil
}

const dropCities = `-- name: DropCities :execrows
delete from city where people is null
`

func (q *queries) dropCities(ctx context.Context) (int64, error) {
	result, err := q.exec(ctx, q.dropCitiesStmt, dropCities)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func TestSqlcProgram(t *testing.T) {
	t.Parallel()
	db := open(t, ours, dsnOf(t, sqltest.Options{}))
	mustExec(t, db, cityTable)
	prepared, err := prepareQueries(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]*queries{"prepared": prepared, "not prepared": {db: db}} {
		for round := range 7 {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			inTx := q.withTx(tx)
			want := []cityRow{
				{Name: "Bern", People: sql.NullInt64{Int64: 134591, Valid: true}, Tags: []string{"capital", `a "b", c\`}},
				{Name: "Thun", Tags: []string{}},
			}
			for i := range want {
				created, err := inTx.createCity(t.Context(), createCityParams{want[i].Name, want[i].People, want[i].Tags})
				if err != nil {
					t.Fatalf("%s, round %d: %v", name, round, err)
				}
				want[i].ID = created.ID
			}
			got, err := inTx.listCities(t.Context(), []string{"Bern", "Thun", "Biel"})
			if err != nil || !slices.EqualFunc(got, want, func(a, b cityRow) bool {
				return a.ID == b.ID && a.Name == b.Name && a.People == b.People && slices.Equal(a.Tags, b.Tags)
			}) {
				t.Errorf("%s, round %d: cities %+v, %v, want %+v", name, round, got, err, want)
			}
			if n, err := inTx.dropCities(t.Context()); n != 1 || err != nil {
				t.Errorf("%s, round %d: dropped %d, %v, want 1", name, round, n, err)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}
	}
	if calls := doThrough(t, prepared.db); calls != 1 {
		t.Errorf("driver.Do ran %d times", calls)
	}
}
