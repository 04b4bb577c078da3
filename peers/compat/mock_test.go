package compat

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	libpq "github.com/lib/pq"

	"github.com/pycopg/pycopg/sqltest/mock"
)

// An error of a mock is what programs look for, whichever driver they were written for.
func TestErrorsOfAMockAreThoseOfBothPeers(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert").WillReturnError(mock.PgError("23505", mock.Fields{Constraint: "item_pkey", Table: "item"}))
	_, err := db.ExecContext(t.Context(), "insert into item values (1)")
	var ofPgx *pgconn.PgError
	if !errors.As(err, &ofPgx) || ofPgx.Code != "23505" || ofPgx.ConstraintName != "item_pkey" {
		t.Errorf("*pgconn.PgError = %+v", ofPgx)
	}
	var ofPq *libpq.Error
	if !errors.As(err, &ofPq) || ofPq.Code != "23505" || ofPq.Constraint != "item_pkey" || ofPq.Table != "item" {
		t.Errorf("*pq.Error = %+v", ofPq)
	}
}
