package copyin

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// ledger is the table that says what runs of an import have stored. Beside a row for each batch it has one for the import
// itself, with the input 0: it names the table and the run that may store, and is locked for a moment by each batch.
type ledger struct {
	db       *sql.DB
	table    ext.Name
	target   ext.Name
	id       string
	token    string // of this run
	truncate bool

	resumes bool           // an earlier run has begun
	done    map[int][]span // by input, what earlier runs have stored
	rows    int64          // of them
}

func newLedger(db *sql.DB, target ext.Name, o *LoadOptions) (*ledger, error) {
	if o.Ledger == "" {
		o.Ledger = "copyin_ledger"
	}
	name, err := ext.ParseName(o.Ledger)
	if err != nil {
		return nil, fmt.Errorf("name of the Ledger: %w", err)
	}
	return &ledger{db: db, table: name, target: target, id: o.ImportID, token: rand.Text(), truncate: o.Truncate}, nil
}

func (g *ledger) createText() string {
	return "create table if not exists " + g.table.String() + ` (
	import text not null, input int not null, start bigint not null, stop bigint not null,
	rows bigint not null, stored bigint not null, skipped bigint not null, rejected bigint not null, checksum bigint not null,
	name text not null, run text not null, at timestamptz,
	primary key (import, input, start))`
}

// noteText notes a batch, while this run is the one that may.
func (g *ledger) noteText() string {
	return "insert into " + g.table.String() + " (import, input, start, stop, rows, stored, skipped, rejected, checksum, name, run, at)" +
		" select $1, $2::int, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10, $11, now() from " + g.table.String() +
		" where import = $1 and input = 0 and start = 0 and run = $11 for share"
}

const (
	duplicateTable  = "42P07"
	duplicateObject = "42710" // of the table's row type
	uniqueViolation = "23505"
)

// create makes the table. Where another run does that at the same time, IF NOT EXISTS fails in one way or another; the table is
// there the second time.
func (g *ledger) create(ctx context.Context) error {
	_, err := g.db.ExecContext(ctx, g.createText())
	switch driver.SQLState(err) {
	case duplicateTable, duplicateObject, uniqueViolation:
		_, err = g.db.ExecContext(ctx, g.createText())
	}
	return err
}

// begin makes this run the one that may store, and reads what earlier ones have stored.
func (g *ledger) begin(ctx context.Context) (finished bool, err error) {
	if err := g.create(ctx); err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	tx, err := g.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	if finished, err = g.takeOver(ctx, tx); err != nil {
		return false, fmt.Errorf("ledger %s: %w", g.table, err)
	}
	return finished, tx.Commit()
}

func (g *ledger) takeOver(ctx context.Context, tx *sql.Tx) (finished bool, err error) {
	r, err := tx.ExecContext(ctx, "insert into "+g.table.String()+" (import, input, start, stop, rows, stored, skipped, rejected, checksum, name, run)"+
		" values ($1, 0, 0, 0, 0, 0, 0, 0, 0, $2, $3) on conflict do nothing", g.id, g.target.String(), g.token)
	if err != nil {
		return false, err
	}
	if n, err := r.RowsAffected(); n == 1 || err != nil {
		if err == nil && g.truncate {
			_, err = tx.ExecContext(ctx, "truncate "+g.target.String())
		}
		return false, err
	}
	g.resumes = true
	var target string
	err = tx.QueryRowContext(ctx, "update "+g.table.String()+" set run = case when at is null then $2 else run end"+
		" where import = $1 and input = 0 and start = 0 returning name, at is not null", g.id, g.token).Scan(&target, &finished)
	if err != nil {
		return false, err
	}
	if target != g.target.String() {
		return false, fmt.Errorf("import %q is one into table %s", g.id, target)
	}
	return finished, g.read(ctx, tx)
}

// read reads what is stored.
func (g *ledger) read(ctx context.Context, tx *sql.Tx) error {
	g.done, g.rows = make(map[int][]span), 0
	rows, err := tx.QueryContext(ctx, "select input, start, stop, rows, checksum from "+g.table.String()+" where import = $1 and input > 0", g.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var input int
		var s span
		if err := rows.Scan(&input, &s.start, &s.end, &s.rows, &s.checksum); err != nil {
			return err
		}
		g.done[input] = append(g.done[input], s)
		g.rows += s.rows
	}
	for _, spans := range g.done {
		slices.SortFunc(spans, func(a, b span) int { return int(a.start - b.start) })
	}
	return rows.Err()
}

// note writes down a batch, in the transaction that stores it.
func (g *ledger) note(ctx context.Context, tx *sql.Tx, b *batch, out *outcome) error {
	b.span.checksum = b.checksum()
	r, err := tx.ExecContext(ctx, g.noteText(), g.id, b.in.ordinal, b.span.start, b.span.end, b.span.rows, out.stored, out.skipped, int64(len(out.rejected)),
		int64(b.span.checksum), b.in.name, g.token)
	if driver.SQLState(err) == uniqueViolation {
		return errStoredBefore
	}
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = ErrTakenOver
	}
	return err
}

// errStoredBefore is the error of a batch that was stored by a commit whose answer was lost.
var errStoredBefore = errors.New("the batch is in the ledger")

// has reports whether a batch is in the ledger, by this run.
func (g *ledger) has(ctx context.Context, b *batch) (found bool, err error) {
	err = g.db.QueryRowContext(ctx, "select exists (select from "+g.table.String()+" where import = $1 and input = $2 and start = $3 and run = $4)",
		g.id, b.in.ordinal, b.span.start, g.token).Scan(&found)
	return found, err
}

// finish checks that the ledger has all rows of the input, and marks the import as finished, unless it is only a part of it.
func (g *ledger) finish(ctx context.Context, rows int64, part bool) error {
	var noted int64
	if err := g.db.QueryRowContext(ctx, "select coalesce(sum(rows), 0) from "+g.table.String()+" where import = $1 and input > 0", g.id).Scan(&noted); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if noted != rows && !part {
		return fmt.Errorf("%w: the ledger has %d rows, the input %d", ErrRowCount, noted, rows)
	}
	if part {
		return nil
	}
	r, err := g.db.ExecContext(ctx, "update "+g.table.String()+" set at = now(), rows = $3 where import = $1 and input = 0 and start = 0 and run = $2", g.id, g.token, rows)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrTakenOver, err)
	}
	return nil
}
