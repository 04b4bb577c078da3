package ext

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/pycopg/pycopg/driver"
)

// InsertOptions say how rows are inserted. The zero value inserts all fields of a struct, or all keys of a map.
type InsertOptions struct {
	Columns    []string   // insert these columns only, in this order
	OnConflict OnConflict // what becomes of rows that are refused as duplicates
	KeepLast   bool       // of rows with one conflict key (OnConflict.Columns), insert the last; otherwise two are ErrDuplicateKey
	Returning  []string   // for InsertReturning: the columns to return, "*" alone for all; nil for the fields of its R
	Overriding bool       // give values to identity columns that are GENERATED ALWAYS
	ChunkRows  int        // rows in one statement, 10 000 when it is not positive
}

// InsertResult counts what became of rows.
type InsertResult struct {
	Inserted int64
	Updated  int64 // by OnConflict; in views and partitioned tables, counted by the keys that the statement found when it began
	Skipped  int64 // left alone by OnConflict, or dropped by KeepLast
}

// ErrDuplicateKey is the error of two rows with the same conflict key in one call: PostgreSQL does not update a row twice in
// one statement. InsertOptions.KeepLast keeps the last of them.
var ErrDuplicateKey = errors.New("two rows have the same conflict key (KeepLast keeps the last one)")

// InsertMany inserts any number of rows into a table, whose name is as [ParseName] takes it. T is a struct, a pointer to one
// or map[string]any. A field's column is found as in [Query]; all maps must have the same keys, and a missing or further
// one is an error that names the row. A field tagged omitzero that is zero, and a value [Default], get the column's
// default. Columns that the server computes (GENERATED ALWAYS, identity ALWAYS) are left out.
//
// The rows travel as one array for each column, in one round trip and statements whose text does not depend on their
// number; where a column cannot (an array, a composite type, a default in some rows only), as a pipeline of single
// inserts. The table's columns are looked up first, as a rule once per pool.
//
// It is all or nothing: outside of a transaction the rows are one of their own. The error is a *[BatchError] where it
// belongs to certain rows. No rows are no error. Mocks and loggers see the statement up to its columns.
func InsertMany[T any](ctx context.Context, q Querier, table string, rows []T, o InsertOptions) (InsertResult, error) {
	job, err := newInsert(table, o)
	if err == nil {
		var src *rowSource
		if src, err = newSource(rows, o.Columns); err == nil {
			err = job.do(ctx, q, src)
		}
	}
	if err != nil {
		return InsertResult{}, wrapInsert(table, err)
	}
	return job.result, nil
}

func wrapInsert(table string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ext: insert into %q: %w", table, err)
}

// InsertManySeq is [InsertMany] for rows that a sequence yields: ChunkRows of them are in memory at a time. Where there are
// more, they are inserted in a transaction, on one connection that is busy until the end: other statements on it, from the
// sequence too, get driver.ErrBusy. An error that the sequence yields undoes everything and is returned. KeepLast and
// ErrDuplicateKey are about rows that are in memory together.
func InsertManySeq[T any](ctx context.Context, q Querier, table string, rows iter.Seq2[T, error], o InsertOptions) (InsertResult, error) {
	job, err := newInsert(table, o)
	if err != nil {
		return InsertResult{}, wrapInsert(table, err)
	}
	if rows == nil {
		return InsertResult{}, wrapInsert(table, errNoSequence)
	}
	pull, stop := iter.Pull2(rows)
	defer stop()
	var src *rowSource
	job.columns = o.Columns
	count, err := inParts(ctx, q, "InsertManySeq", job.statement(), func() (more bool, err error) {
		if src != nil {
			job.base += src.count
		}
		part, more, err := pullPart(pull, job.chunkRows)
		if err != nil {
			return false, &BatchError{Index: job.base + len(part), Count: 1, Err: err}
		}
		if src, err = newSource(part, job.columns); err == nil && job.columns == nil && src.count > 0 {
			job.columns = src.names()
		}
		return more, err
	}, func(ctx context.Context, c *driver.Conn) (int64, error) { return job.run(ctx, c, src) })
	if err != nil {
		return InsertResult{}, wrapInsert(table, err)
	}
	return job.counted(count), nil
}

// InsertReturning is [InsertMany] that returns a row of R, read as [Query] does, for each row that was inserted or updated, in
// their order. InsertOptions.Returning names its columns.
func InsertReturning[R, T any](ctx context.Context, q Querier, table string, rows []T, o InsertOptions) ([]R, error) {
	all, err := insertReturning[R](ctx, q, table, rows, o)
	return all, wrapInsert(table, err)
}

func insertReturning[R, T any](ctx context.Context, q Querier, table string, rows []T, o InsertOptions) (all []R, err error) {
	if o.Returning == nil {
		if o.Returning, err = columnsOf(reflect.TypeFor[R]()); err != nil {
			return nil, err
		}
	}
	job, err := newInsert(table, o)
	if err != nil {
		return nil, err
	}
	job.sql.returning = o.Returning
	src, err := newSource(rows, o.Columns)
	if err != nil {
		return nil, err
	}
	if err := job.do(ctx, q, src); err != nil {
		return nil, err
	}
	replay := newReplay()
	defer replay.close()
	for _, outcome := range job.outcomes {
		part, err := replayed[R](replay, outcome)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, nil
}

// columnsOf are the columns to return for rows of a type.
func columnsOf(t reflect.Type) ([]string, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[map[string]any](), t == reflect.TypeFor[[]any]():
		return []string{"*"}, nil
	case !isRowStruct(t):
		return nil, fmt.Errorf("InsertOptions.Returning must name the column for %s", t)
	}
	fields, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range fields.fields {
		names = append(names, f.column)
	}
	return names, nil
}

// UpsertOptions say how rows are inserted or updated.
type UpsertOptions struct {
	Conflict  []string // the columns of the unique index: needed
	Update    []string // update these columns; nil for all inserted ones but Conflict. None leaves the rows in the table alone
	Where     string   // SQL, a condition for the update: "excluded.version > users.version"
	KeepLast  bool     // as in InsertOptions
	Columns   []string // as in InsertOptions
	ChunkRows int      // as in InsertOptions
}

// UpsertMany is [InsertMany] that updates the rows that exist already. The result tells how many rows were inserted and how
// many updated.
func UpsertMany[T any](ctx context.Context, q Querier, table string, rows []T, o UpsertOptions) (InsertResult, error) {
	job, src, err := newUpsert(table, rows, o)
	if err == nil {
		err = job.do(ctx, q, src)
	}
	if err != nil {
		return InsertResult{}, wrapInsert(table, err)
	}
	return job.result, nil
}

func newUpsert[T any](table string, rows []T, o UpsertOptions) (*insert, *rowSource, error) {
	if len(o.Conflict) == 0 {
		return nil, nil, errors.New("UpsertOptions.Conflict names no columns")
	}
	src, err := newSource(rows, o.Columns)
	if err != nil {
		return nil, nil, err
	}
	implied := o.Update == nil
	if implied {
		for _, name := range src.names() {
			if !slices.Contains(o.Conflict, name) {
				o.Update = append(o.Update, name)
			}
		}
	}
	conflict := OnConflict{Columns: o.Conflict, Update: o.Update, Where: o.Where}
	if len(o.Update) == 0 {
		conflict = OnConflict{Columns: o.Conflict, Nothing: true}
	}
	job, err := newInsert(table, InsertOptions{OnConflict: conflict, KeepLast: o.KeepLast, ChunkRows: o.ChunkRows})
	job.implied = implied && len(o.Update) > 0
	return job, src, err
}

func (s *rowSource) names() []string {
	names := make([]string, len(s.columns))
	for i := range s.columns {
		names[i] = s.columns[i].name
	}
	return names
}
