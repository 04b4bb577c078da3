package admin

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// maintain runs a statement that PostgreSQL refuses inside a transaction.
func maintain(ctx context.Context, q ext.OutsideTx, text string, needs []newerOption, verbose func(driver.Notice)) error {
	if err := checkNewer(ctx, q, needs); err != nil {
		return err
	}
	return ext.ExecOutsideTx(withNotices(ctx, verbose), q, text)
}

// withNotices hands the notices of a statement to fn, if there is one.
func withNotices(ctx context.Context, fn func(driver.Notice)) context.Context {
	if fn == nil {
		return ctx
	}
	return ext.WithNotices(ctx, fn)
}

// newerOption is an option that PostgreSQL has since a version.
type newerOption struct {
	used  bool
	name  string
	since int64
}

// checkNewer refuses options that the server does not have, which it would call a syntax error. Without such options it asks
// nothing.
func checkNewer(ctx context.Context, q ext.Querier, options []newerOption) error {
	var major int64
	for _, o := range options {
		if !o.used {
			continue
		}
		if major == 0 {
			num, err := value[int64](ctx, q, "select pg_catalog.current_setting('server_version_num')::pg_catalog.int8")
			if err != nil || num == 0 { // a mock has no version
				return err
			}
			major = num / 10000
		}
		if major < o.since {
			return fmt.Errorf("option %s needs PostgreSQL %d, and the server is %d", o.name, o.since, major)
		}
	}
	return nil
}

// missingOf makes an error of the server an [ErrTableNotFound] where one of the tables does not exist.
func missingOf(ctx context.Context, q ext.Querier, tables []string, err error) error {
	if driver.SQLState(err) != undefinedTable {
		return err
	}
	for _, table := range tables {
		if exists, failed := TableExists(ctx, q, table); failed == nil && !exists {
			return explain(ctx, q, table, err)
		}
	}
	return err
}

func maintenanceError(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("admin: %s: %w", verb, err)
}
