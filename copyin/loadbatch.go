package copyin

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pycopg/pycopg/driver"
)

// outcome is what the transaction of a batch has done.
type outcome struct {
	stored, skipped int64
	rejected        []Rejected // in the order of the input
}

// load stores a batch, as often as it has to be tried.
func (l *loader) load(ctx context.Context, b *batch) error {
	select {
	case <-b.ahead:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for attempt := 1; ; {
		out, err := l.attempt(ctx, b)
		switch {
		case err == nil:
			l.stored(b, out)
			close(b.merged)
			return l.tooMany(0)
		case ctx.Err() != nil:
			return err
		case errors.Is(err, errCareful):
			continue
		case !isPassing(err) || attempt > l.options.Retries:
			return b.explain(err)
		}
		l.log.Warn("copyin: batch failed, another attempt follows", "table", l.table.String(), "source", b.in.name, "row", b.first, "attempt", attempt, "error", err)
		if err := l.retry(ctx, attempt); err != nil {
			return err
		}
		attempt++
	}
}

// errCareful is the error of a batch with a bad row: it is tried again, in parts.
var errCareful = errors.New("the batch has a bad row")

// attempt is one transaction.
func (l *loader) attempt(ctx context.Context, b *batch) (out *outcome, err error) {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // without effect after Commit
	select {
	case <-b.begun:
	default:
		close(b.begun)
	}
	xid, err := l.open(ctx, tx, b)
	if err != nil {
		return nil, err
	}
	out = &outcome{rejected: slices.Clone(b.unsent)}
	if b.careful {
		err = l.storeParts(ctx, tx, b, out)
	} else {
		err = l.storeWhole(ctx, tx, b, out)
	}
	if err == nil && l.ledger != nil {
		err = l.ledger.note(ctx, tx, b, out)
	}
	switch {
	case errors.Is(err, errStoredBefore):
		return out, nil
	case err != nil:
		return nil, l.orCareful(b, err)
	}
	if err := l.rejects.write(b, out); err != nil {
		return nil, err
	}
	switch err := tx.Commit(); {
	case errors.Is(err, driver.ErrCommitUnknown):
		return out, l.settle(ctx, b, xid, err)
	case err != nil:
		return nil, l.orCareful(b, err)
	}
	return out, nil
}

// orCareful turns the failure of a batch with a bad row into another attempt, in parts, where bad rows may be left out.
func (l *loader) orCareful(b *batch, err error) error {
	named := errors.As(b.located(err), new(*RowError))
	if l.options.OnBad == BadStop || b.careful || !isBadData(err, named) {
		return err
	}
	b.careful = true
	return errCareful
}

// open begins the transaction, and returns its number where the ledger does not tell what becomes of it.
func (l *loader) open(ctx context.Context, tx *sql.Tx, b *batch) (xid string, err error) {
	if text, args := settingsText(l.options.Settings); text != "" {
		if _, err := tx.ExecContext(ctx, text, args...); err != nil {
			return "", err
		}
	}
	if b.careful { // so that each part meets its own failures
		if _, err := tx.ExecContext(ctx, "set constraints all immediate"); err != nil {
			return "", err
		}
	}
	if l.merge != nil {
		if _, err := tx.ExecContext(ctx, b.in.stage.create); err != nil {
			return "", err
		}
	}
	if l.ledger == nil {
		err = tx.QueryRowContext(ctx, "select pg_catalog.pg_current_xact_id()::text").Scan(&xid)
	}
	return xid, err
}

// settingsText sets run-time parameters for a transaction.
func settingsText(settings map[string]string) (text string, args []any) {
	for i, name := range slices.Sorted(maps.Keys(settings)) {
		text += []string{"select ", ", "}[min(i, 1)] + "pg_catalog.set_config($" + strconv.Itoa(2*i+1) + ", $" + strconv.Itoa(2*i+2) + ", true)"
		args = append(args, name, settings[name])
	}
	return text, args
}

// storeWhole stores a batch that has no bad row.
func (l *loader) storeWhole(ctx context.Context, tx *sql.Tx, b *batch, out *outcome) error {
	n, err := l.copy(ctx, tx, b, b.data)
	if err != nil {
		return err
	}
	return l.merged(ctx, tx, b, n, b.sent(), out)
}

// copy sends data to the table, or the temporary one.
func (l *loader) copy(ctx context.Context, tx *sql.Tx, b *batch, data [][]byte) (int64, error) {
	return driver.Do(ctx, tx, b.in.statement, func(ctx context.Context, c *driver.Conn) (int64, error) {
		ci, err := c.CopyIn(ctx, b.in.statement)
		if err != nil {
			return 0, err
		}
		for _, piece := range data {
			if _, err := ci.Write(piece); err != nil {
				return 0, err
			}
		}
		return ci.Close()
	})
}

// merged checks the count of a COPY, and moves its rows out of the temporary table.
func (l *loader) merged(ctx context.Context, tx *sql.Tx, b *batch, copied, rows int64, out *outcome) error {
	if copied != rows && !l.options.NoRowCheck {
		return fmt.Errorf("%w: %d rows were sent, the server has taken %d", ErrRowCount, rows, copied)
	}
	if l.merge == nil {
		out.stored += copied
		return nil
	}
	if l.options.OnConflict == ConflictUpdate {
		select {
		case <-b.before:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	r, err := tx.ExecContext(ctx, b.in.stage.merge)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	out.stored += n
	out.skipped += rows - n
	return err
}

// storeParts stores a batch without its bad rows, which it looks for: a part with one is divided there where the server names it,
// in the middle elsewhere.
func (l *loader) storeParts(ctx context.Context, tx *sql.Tx, b *batch, out *outcome) error {
	parts := []records{b.records()}
	for len(parts) > 0 {
		r := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		if r.len() == 0 {
			continue
		}
		err := l.storePart(ctx, tx, b, r, out)
		if err == nil {
			continue
		}
		found := r.b.located(err)
		var row *RowError
		named := errors.As(found, &row)
		switch i := 0; {
		case !isBadData(err, named):
			return err
		case named && row.Row > 0:
			if i = r.find(row.Row); i < 0 || i >= r.len() {
				return err
			}
			parts = append(parts, r.slice(i+1, r.len()), r.slice(0, i))
			err = l.reject(b, r, i, row, out)
		case r.len() == 1:
			err = l.reject(b, r, 0, &RowError{Err: err}, out)
		default:
			half := r.len() / 2
			parts = append(parts, r.slice(half, r.len()), r.slice(0, half))
			err = nil
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(out.rejected, func(a, b Rejected) int { return cmp.Compare(a.Err.Row, b.Err.Row) })
	return nil
}

const partSavepoint = `"pycopg copyin part"`

// storePart stores a part, all or nothing.
func (l *loader) storePart(ctx context.Context, tx *sql.Tx, b *batch, r records, out *outcome) error {
	if _, err := tx.ExecContext(ctx, "savepoint "+partSavepoint); err != nil {
		return err
	}
	before := *out
	n, err := l.copy(ctx, tx, b, [][]byte{r.bytes()})
	if err == nil {
		err = l.merged(ctx, tx, b, n, int64(r.len()), out)
	}
	if err == nil {
		end := "release savepoint " + partSavepoint
		if l.merge != nil {
			end = b.in.stage.empty + "; " + end
		}
		_, err = tx.ExecContext(ctx, end)
		return err
	}
	out.stored, out.skipped = before.stored, before.skipped
	if _, failed := tx.ExecContext(ctx, "rollback to savepoint "+partSavepoint+"; release savepoint "+partSavepoint); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// reject leaves a row out.
func (l *loader) reject(b *batch, r records, i int, row *RowError, out *outcome) error {
	e := *row
	e.Row = r.row(i)
	out.rejected = append(out.rejected, Rejected{Source: b.in.name, Record: r.text(i), Err: &e})
	l.log.Warn("copyin: row left out", "table", l.table.String(), "source", b.in.name, "row", e.Row, "column", e.Column, "error", e.Err)
	return l.tooMany(int64(len(out.rejected)))
}

// located is an error of the batch as a RowError, whose row is as the server counts, where it names one.
func (b *batch) located(err error) error {
	return withRow(err, b.in.into, b.in.columns, nil)
}

// explain is an error of the batch with the row of the input, and its file.
func (b *batch) explain(err error) error {
	found := b.located(err)
	if row, ok := found.(*RowError); ok {
		if r := b.records(); b.in.format == Binary {
			row.Row += b.first - 1
		} else if i := r.find(row.Row); i >= 0 && i < r.len() {
			row.Row = r.row(i)
		}
	}
	if b.in.name != "" {
		return fmt.Errorf("file %q: %w", b.in.name, found)
	}
	return found
}

// settle finds out what became of a commit whose answer was lost. It returns nil where the batch is stored, and an error that may
// pass where it is not.
func (l *loader) settle(ctx context.Context, b *batch, xid string, lost error) error {
	for attempt := 1; ; attempt++ {
		status, err := l.statusOf(ctx, b, xid)
		switch {
		case err == nil && status == "committed":
			return nil
		case err == nil && status == "aborted":
			return fmt.Errorf("%w: %w", driver.ErrCommitRolledBack, errLostCommit)
		case err != nil && !isPassing(err) || attempt > max(l.options.Retries, defaultRetries):
			return errors.Join(lost, err)
		}
		if err := pauseBefore(ctx, attempt, l.options.RetryDelay); err != nil {
			return errors.Join(lost, err)
		}
	}
}

var errLostCommit = errors.New("the connection was lost at the commit")

// statusOf is what became of a transaction: committed, aborted or in progress. What the ledger lacks may still be in progress:
// a second attempt waits for it there, and fails.
func (l *loader) statusOf(ctx context.Context, b *batch, xid string) (status string, err error) {
	if l.ledger == nil {
		err = l.db.QueryRowContext(ctx, "select pg_catalog.pg_xact_status($1::text::xid8)", xid).Scan(&status)
		return status, err
	}
	found, err := l.ledger.has(ctx, b)
	if found {
		return "committed", err
	}
	return "aborted", err
}
