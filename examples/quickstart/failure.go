package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// uniqueViolation is the SQLSTATE of a duplicate key.
const uniqueViolation = "23505"

// meetError inserts a zone that is there already, and takes the server's error apart.
func meetError(ctx context.Context, s *session) error {
	_, err := s.db.ExecContext(ctx, insertZone, "Europe/Zurich", []string{"CH"}, 47.4, 8.5, nil)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != uniqueViolation {
		return errors.Join(errors.New("the second Europe/Zurich was not refused as a duplicate"), err)
	}
	s.out.line("SQLSTATE %s: %s", pgErr.Code, pgErr.Message)
	s.out.line("table %s, constraint %s: %s", pgErr.TableName, pgErr.ConstraintName, pgErr.Detail)
	n, err := s.count(ctx, "select count(*) from zone")
	if err != nil {
		return err
	}
	s.out.line("zone still has %d rows", n)
	return nil
}
