package main

import (
	"context"
	"errors"

	"github.com/pycopg/pycopg/ext"
)

// rollBackToSavepoint changes a table twice in a transaction and takes the second change back: a block of InTx in a block
// is a savepoint.
func rollBackToSavepoint(ctx context.Context, s *session) error {
	err := ext.InTx(ctx, s.db, ext.TxOptions{}, func(tx *ext.Tx) error {
		n, err := ext.DeleteWhere(ctx, tx, "country", "country = $1", "XX")
		if err != nil {
			return err
		}
		s.out.line("the transaction deleted %d country", n)
		err = ext.InTx(ctx, tx, ext.TxOptions{}, func(inner *ext.Tx) error {
			n, err := ext.DeleteWhere(ctx, inner, "country", "zones > $1", 1)
			if err != nil {
				return err
			}
			s.out.line("savepoint %s: deleted %d more countries, and goes back", inner.SavepointName(), n)
			return errChangedMind
		})
		if !errors.Is(err, errChangedMind) {
			return err
		}
		return nil // the rest of the transaction stands
	})
	if err != nil {
		return err
	}
	n, err := s.count(ctx, "select count(*) from country")
	if err != nil {
		return err
	}
	s.out.line("committed: country has %d rows", n)
	return nil
}
