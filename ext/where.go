package ext

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/internal/nilhandle"
)

// ErrNoCondition is the error of [UpdateWhere] and [DeleteWhere] without a condition. To mean all rows, say "true".
var ErrNoCondition = errors.New("an empty condition would mean all rows: say \"true\" for that")

// UpdateWhere sets columns of the rows that meet a condition, and returns their number. set gives values by column (they
// travel as arguments; [Default] sets the column's default). where is SQL over the arguments $1, $2, …; an empty one is
// [ErrNoCondition], and an empty set is an error, before anything is sent.
func UpdateWhere(ctx context.Context, q Querier, table string, set map[string]any, where string, args ...any) (int64, error) {
	sql, args, err := updateSQL(table, set, where, args)
	if err != nil {
		return 0, fmt.Errorf("ext: update %q: %w", table, err)
	}
	return affected(ctx, q, "update", table, sql, args)
}

func updateSQL(table string, set map[string]any, where string, args []any) (string, []any, error) {
	name, err := ParseName(table)
	switch {
	case err != nil:
		return "", nil, err
	case strings.TrimSpace(where) == "":
		return "", nil, ErrNoCondition
	case len(set) == 0:
		return "", nil, errors.New("no columns to set")
	}
	args = slices.Clone(args)
	var sets []string
	for _, column := range slices.Sorted(maps.Keys(set)) {
		if err := CheckName(column); err != nil {
			return "", nil, fmt.Errorf("column %q: %w", column, err)
		}
		value := "default"
		if _, isDefault := set[column].(Default); !isDefault {
			args = append(args, set[column])
			value = "$" + strconv.Itoa(len(args))
		}
		sets = append(sets, QuoteName(column)+" = "+value)
	}
	return "update " + name.String() + " set " + strings.Join(sets, ", ") + condition(where), args, nil
}

// DeleteWhere deletes the rows that meet a condition, and returns their number. where is SQL over the arguments; an empty one
// is [ErrNoCondition].
func DeleteWhere(ctx context.Context, q Querier, table, where string, args ...any) (int64, error) {
	name, err := ParseName(table)
	if err == nil && strings.TrimSpace(where) == "" {
		err = ErrNoCondition
	}
	if err != nil {
		return 0, fmt.Errorf("ext: delete from %q: %w", table, err)
	}
	return affected(ctx, q, "delete from", table, "delete from "+name.String()+condition(where), args)
}

func affected(ctx context.Context, q Querier, verb, table, sql string, args []any) (int64, error) {
	if err := nilhandle.Check(q); err != nil {
		return 0, fmt.Errorf("ext: %s %q: %w", verb, table, err)
	}
	res, err := q.ExecContext(native(ctx), sql, args...)
	if err == nil {
		var n int64
		if n, err = res.RowsAffected(); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("ext: %s %q: %w", verb, table, err)
}

// Exists reports whether a table has a row that meets a condition, SQL over the arguments; an empty one is met by all.
func Exists(ctx context.Context, q Querier, table, where string, args ...any) (bool, error) {
	name, err := ParseName(table)
	if err != nil {
		return false, err
	}
	return QueryVal[bool](native(ctx), q, "select exists (select from "+name.String()+condition(where)+")", args...)
}

// Count returns how many rows of a table meet a condition, SQL over the arguments; an empty one is met by all.
func Count(ctx context.Context, q Querier, table, where string, args ...any) (int64, error) {
	name, err := ParseName(table)
	if err != nil {
		return 0, err
	}
	return QueryVal[int64](native(ctx), q, "select count(*) from "+name.String()+condition(where), args...)
}

// condition is the clause of a condition, "" for an empty one. The line break ends a comment.
func condition(where string) string {
	if strings.TrimSpace(where) == "" {
		return ""
	}
	return " where (" + where + "\n)"
}
