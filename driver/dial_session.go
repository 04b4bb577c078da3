package driver

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// sessionCheck refuses a server that target_session_attrs does not want.
type sessionCheck func(context.Context, *pgconn.PgConn) error

// sessionPasses lists the checks to go through the hosts with, one after the other. nil takes any server.
func sessionPasses(attrs string) []sessionCheck {
	switch attrs {
	case "read-write":
		return []sessionCheck{wantState(readOnlyState, false, "the session is read-only")}
	case "read-only":
		return []sessionCheck{wantState(readOnlyState, true, "the session is not read-only")}
	case "primary":
		return []sessionCheck{wantState(standbyState, false, "the server is a standby")}
	case "standby":
		return []sessionCheck{wantState(standbyState, true, "the server is not a standby")}
	case "prefer-standby":
		return []sessionCheck{wantState(standbyState, true, "the server is not a standby"), nil}
	}
	return []sessionCheck{nil}
}

func wantState(state func(context.Context, *pgconn.PgConn) (bool, error), want bool, reason string) sessionCheck {
	return func(ctx context.Context, pg *pgconn.PgConn) error {
		got, err := state(ctx, pg)
		switch {
		case err != nil:
			return fmt.Errorf("target_session_attrs: %w", err)
		case got != want:
			return errors.New("target_session_attrs: " + reason)
		}
		return nil
	}
}

// readOnlyState and standbyState use what servers from version 14 report by themselves, and ask others.
func readOnlyState(ctx context.Context, pg *pgconn.PgConn) (bool, error) {
	readOnly, standby := pg.ParameterStatus("default_transaction_read_only"), pg.ParameterStatus("in_hot_standby")
	if readOnly != "" && standby != "" {
		return readOnly == "on" || standby == "on", nil
	}
	v, err := askOne(ctx, pg, "show transaction_read_only")
	return v == "on", err
}

func standbyState(ctx context.Context, pg *pgconn.PgConn) (bool, error) {
	if standby := pg.ParameterStatus("in_hot_standby"); standby != "" {
		return standby == "on", nil
	}
	v, err := askOne(ctx, pg, "select pg_catalog.pg_is_in_recovery()")
	return v == "t", err
}

func askOne(ctx context.Context, pg *pgconn.PgConn, sql string) (string, error) {
	results, err := pg.Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 1 {
		return "", errors.New("unexpected answer to " + sql)
	}
	return string(results[0].Rows[0][0]), nil
}
