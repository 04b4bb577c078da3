package timescale

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

var (
	// ErrLicense is the error of what the licence of the server's TimescaleDB leaves out: its Apache edition has no
	// compression, no policies, no jobs and no continuous aggregates. The error says what was asked for.
	ErrLicense = errors.New("not part of the server's TimescaleDB licence")

	// ErrNotHypertable is the error of a table that is no hypertable, or of a view that is no continuous aggregate.
	ErrNotHypertable = errors.New("not a hypertable or continuous aggregate")
)

// explain gives an error the sentinel that it stands for.
func explain(ctx context.Context, q ext.Querier, err error) error {
	switch code := driver.SQLState(err); {
	case errors.Is(err, errMissing):
		return orElse(admin.RequireExtension(ctx, q, name), err)
	case code == "0A000" && strings.Contains(err.Error(), "license"):
		return fmt.Errorf("%w: %w", ErrLicense, err)
	case code == "TS001", isOther(code, err.Error()):
		return fmt.Errorf("%w: %w", ErrNotHypertable, err)
	case code == "42P01", code == "42883", code == "3F000": // no such table, function or schema: of a query that looked nothing up
		missing := admin.RequireExtension(ctx, q, name)
		switch {
		case errors.Is(missing, admin.ErrExtensionNotAvailable):
			return fmt.Errorf("%w: %w", missing, err)
		case missing != nil && strings.Contains(err.Error(), "timescaledb_information"):
			// In a transaction that has failed the server answers nothing more; but only the extension has that schema.
			return fmt.Errorf("%w: %w", admin.ErrExtensionNotAvailable, err)
		}
	}
	return err
}

// isOther reports whether the extension says, without a SQLSTATE of its own, that a relation is not of the kind that was asked for.
func isOther(code, text string) bool {
	switch code {
	case "0A000", "22023", "42704":
		return strings.Contains(text, "is not a hypertable") || strings.Contains(text, "is not a continuous aggregate") ||
			strings.Contains(text, "can only be specified for hypertables")
	}
	return false
}

// orElse is err, or another error where it is nil.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
