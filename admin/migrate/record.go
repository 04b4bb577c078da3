package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pycopg/pycopg/ext"
)

type tableName = ext.Name

// record is the table of what was applied.
type record struct{ table tableName }

// row is an applied migration in the record.
type row struct {
	version    int64
	name       string
	appliedAt  time.Time
	checksum   string // "" where the record of another library has none
	unfinished string // where a migration without a transaction has stopped
}

func recordName(opts Options) (tableName, error) {
	if opts.Table == "" {
		return tableName{Name: "schema_migrations"}, nil
	}
	name, err := ext.ParseName(opts.Table)
	if err != nil {
		return tableName{}, fmt.Errorf("migrate: table: %w", err)
	}
	return name, nil
}

// locate finds the schema that a name without one means now: migrations may change the search path.
func locate(ctx context.Context, q ext.Querier, table tableName) (tableName, error) {
	var schema sql.NullString
	err := q.QueryRowContext(ctx, `
		select coalesce(nullif($2, ''),
		       (select n.nspname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		         where c.oid = pg_catalog.to_regclass($1)),
		       pg_catalog.current_schema()::text)`, table.String(), table.Schema).Scan(&schema)
	if err != nil {
		return table, err
	}
	if !schema.Valid {
		return table, fmt.Errorf("no schema of the search path exists, to hold the table %s: name one in Options.Table", table)
	}
	table.Schema = schema.String
	return table, nil
}

func (r record) createSQL() string {
	return "create table if not exists " + r.table.String() + ` (
	version bigint primary key,
	name text not null,
	applied_at timestamptz not null default now(),
	checksum text,
	unfinished text
)`
}

// columns are the record's, "" where the table does not exist.
func (r record) columns(ctx context.Context, q ext.Querier) (string, error) {
	var columns string
	err := q.QueryRowContext(ctx, `
		select coalesce(string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, null), ',' order by a.attname), '')
		  from pg_catalog.pg_attribute a
		 where a.attrelid = pg_catalog.to_regclass($1) and a.attnum > 0 and not a.attisdropped`, r.table.String()).Scan(&columns)
	return columns, err
}

// prepare makes the table, or takes over that of Python's pycopg, which lacks two columns.
func (r record) prepare(ctx context.Context, q ext.Querier) error {
	columns, err := r.columns(ctx, q)
	if err != nil {
		return err
	}
	text, err := r.prepareSQL(columns)
	if err != nil || text == "" {
		return err
	}
	_, err = q.ExecContext(ctx, text)
	return err
}

// prepareSQL is what is to be done to a table of some columns.
func (r record) prepareSQL(columns string) (string, error) {
	if columns == "" {
		return r.createSQL(), nil
	}
	if err := r.check(columns); err != nil {
		return "", err
	}
	var changes []string
	has := strings.Split(columns, ",")
	for _, c := range []string{"checksum text", "unfinished text"} {
		if !slices.Contains(has, c) {
			changes = append(changes, "add column "+c)
		}
	}
	if slices.Contains(has, "version integer") {
		changes = append(changes, "alter column version type bigint")
	}
	if len(changes) == 0 {
		return "", nil
	}
	return "alter table " + r.table.String() + " " + strings.Join(changes, ", "), nil
}

// check refuses the table of another tool.
func (r record) check(columns string) error {
	has := strings.Split(columns, ",")
	if slices.Contains(has, "name text") && slices.Contains(has, "applied_at timestamp with time zone") &&
		(slices.Contains(has, "version bigint") || slices.Contains(has, "version integer")) {
		return nil
	}
	return fmt.Errorf("%w: %s (%s)", ErrForeignTable, r.table, strings.ReplaceAll(columns, ",", ", "))
}

// read returns the rows by version. It needs none of the columns that Python's pycopg does not have.
func (r record) read(ctx context.Context, q ext.Querier) (found []row, err error) {
	rows, err := q.QueryContext(ctx, `
		select version::bigint, name, applied_at, coalesce(to_jsonb(t) ->> 'checksum', ''), coalesce(to_jsonb(t) ->> 'unfinished', '')
		  from `+r.table.String()+` t order by version`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one row
		if err := rows.Scan(&one.version, &one.name, &one.appliedAt, &one.checksum, &one.unfinished); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

// fill notes the checksums that the record lacks.
func (r record) fill(ctx context.Context, q ext.Querier, migrations []Migration) error {
	for _, m := range migrations {
		if _, err := q.ExecContext(ctx, "update "+r.table.String()+" set checksum = $2 where version = $1", m.Version, m.Checksum()); err != nil {
			return err
		}
	}
	return nil
}

// insert records a migration as applied, or, without a transaction, as begun.
func (r record) insert(ctx context.Context, q ext.Querier, m Migration, unfinished string) error {
	_, err := q.ExecContext(ctx, "insert into "+r.table.String()+" (version, name, checksum, unfinished) values ($1, $2, $3, nullif($4, ''))",
		m.Version, m.Name, m.Checksum(), unfinished)
	return err
}

// mark says where a migration without a transaction has come to, or with "" that it is finished.
func (r record) mark(ctx context.Context, q ext.Querier, version int64, unfinished string) error {
	_, err := q.ExecContext(ctx, "update "+r.table.String()+" set unfinished = nullif($2, ''), applied_at = case when $2 = '' then now() else applied_at end where version = $1",
		version, unfinished)
	return err
}

// remove is for a migration that was taken back.
func (r record) remove(ctx context.Context, q ext.Querier, version int64) error {
	_, err := q.ExecContext(ctx, "delete from "+r.table.String()+" where version = $1", version)
	return err
}
