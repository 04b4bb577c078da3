package main

import (
	"context"
	"database/sql"
	"errors"
)

// errChangedMind makes inTx roll back.
var errChangedMind = errors.New("changed my mind")

// commitAndRollBack deletes rows twice. The first time they are gone, the second time they are not.
func commitAndRollBack(ctx context.Context, s *session) error {
	before, err := s.count(ctx, "select count(*) from reading")
	if err != nil {
		return err
	}
	err = inTx(ctx, s.db, func(tx *sql.Tx) error {
		// Below 18 degrees under the horizon, the sun leaves the sky entirely dark.
		return s.deleteReadings(ctx, tx, "delete from reading where elevation < -18")
	})
	if err != nil {
		return err
	}
	committed, err := s.count(ctx, "select count(*) from reading")
	if err != nil {
		return err
	}
	s.out.line("committed: %d rows became %d", before, committed)

	err = inTx(ctx, s.db, func(tx *sql.Tx) error {
		if err := s.deleteReadings(ctx, tx, "delete from reading"); err != nil {
			return err
		}
		return errChangedMind
	})
	if !errors.Is(err, errChangedMind) {
		return err
	}
	after, err := s.count(ctx, "select count(*) from reading")
	if err != nil {
		return err
	}
	s.out.line("rolled back: %d rows are still there", after)
	return nil
}

// deleteReadings runs a delete statement and shows what the transaction sees after it.
func (s *session) deleteReadings(ctx context.Context, tx *sql.Tx, statement string) error {
	result, err := tx.ExecContext(ctx, statement)
	if err != nil {
		return err
	}
	deleted, err := result.RowsAffected()
	if err != nil {
		return err
	}
	var left int64
	if err := tx.QueryRowContext(ctx, "select count(*) from reading").Scan(&left); err != nil {
		return err
	}
	s.out.line("%s: %d rows deleted, the transaction sees %d", statement, deleted, left)
	return nil
}

// inTx runs fn in a transaction, which it commits if fn returns nil and rolls back otherwise.
func inTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		if rollback := tx.Rollback(); !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
		return err
	}
	return tx.Commit()
}
