package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// CursorOptions are the options of [DeclareCursor] and [AttachCursor]. The zero value is a cursor that lives as long as its
// transaction, and scrolls where the server finds that cheap.
type CursorOptions struct {
	// Scroll true lets the cursor move backward (SCROLL), false forbids it (NO SCROLL); nil leaves it to the server, which
	// allows it for plans that need nothing extra for it.
	Scroll *bool

	// Hold keeps the cursor beyond its transaction (WITH HOLD), up to Close or the end of the connection. The server stores
	// all its rows at the commit.
	Hold bool

	// Binary declares the cursor BINARY, for other programs that read it through the simple protocol. Here it changes
	// nothing: each column comes in the format that is cheaper to read.
	Binary bool

	// PageSize is how many rows [FetchPages] takes at a time, 1000 where it is not positive.
	PageSize int
}

// ErrNoSession is the error of a cursor on a pool: the statements that read it could run on another connection.
var ErrNoSession = errors.New("this needs one connection: give it a *sql.Conn or a transaction")

// Cursor is a cursor on the server. Its methods and the functions that fetch from it are statements on the handle that it
// was declared on, and between two of them the handle is free for others. It serves one goroutine at a time.
type Cursor struct {
	q      Querier
	name   string
	page   int
	closed bool
	place  place
}

// DeclareCursor declares a cursor over the rows of a SELECT or VALUES, under a name that is taken literally. It needs a
// transaction ([ErrNoTransaction]) unless it is held beyond one, and a *sql.Conn or a transaction, not a pool ([ErrNoSession]).
// [FetchOne], [FetchMany], [FetchAll] and [FetchPages] read from it; close it with Close, or leave it to the end of the
// transaction.
func DeclareCursor(ctx context.Context, q Querier, name string, opts CursorOptions, sql string, args ...any) (*Cursor, error) {
	c, err := newCursor(q, name, opts)
	if err == nil {
		err = c.declare(ctx, opts, sql, args)
	}
	if err != nil {
		return nil, fmt.Errorf("ext: cursor %q: %w", name, err)
	}
	return c, nil
}

// AttachCursor is for a cursor that exists: one that a function of the database has opened (the value of its refcursor is the
// name) or another package has declared. It sends nothing. Where the cursor stands is not known ([Cursor.Position] is -1)
// before it was moved to an absolute place. Of the options PageSize counts.
func AttachCursor(q Querier, name string, opts CursorOptions) (*Cursor, error) {
	c, err := newCursor(q, name, opts)
	if err != nil {
		return nil, fmt.Errorf("ext: cursor %q: %w", name, err)
	}
	c.place = place{row: -1}
	return c, nil
}

func newCursor(q Querier, name string, opts CursorOptions) (*Cursor, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := nilhandle.Check(q); err != nil {
		return nil, err
	}
	if isPool(q) {
		return nil, ErrNoSession
	}
	c := &Cursor{q: q, name: name, page: opts.PageSize}
	if c.page <= 0 {
		c.page = defaultPage
	}
	return c, nil
}

// declareText is the text of DECLARE.
func declareText(name string, opts CursorOptions, query string) string {
	var b strings.Builder
	b.WriteString("declare " + nameBesidePlaceholders(name))
	if opts.Binary {
		b.WriteString(" binary")
	}
	if opts.Scroll != nil {
		b.WriteString(map[bool]string{true: " scroll", false: " no scroll"}[*opts.Scroll])
	}
	b.WriteString(" cursor")
	if opts.Hold {
		b.WriteString(" with hold")
	}
	return b.String() + " for " + query
}

// nameBesidePlaceholders is QuoteName for a text whose placeholders are the caller's: a per cent sign in the name is none.
func nameBesidePlaceholders(name string) string {
	if !strings.Contains(name, "%") {
		return QuoteName(name)
	}
	return "U&" + QuoteName(strings.NewReplacer(`\`, `\\`, "%", `\0025`).Replace(name))
}

// declare runs DECLARE. A held cursor outlives what a transaction pooler gives, which only the connection can tell.
func (c *Cursor) declare(ctx context.Context, opts CursorOptions, query string, args []any) error {
	if opts.Hold {
		_, err := driver.Do(ctx, c.q, "cursor", func(_ context.Context, conn *driver.Conn) (int64, error) {
			return 0, conn.RequireSession("a cursor WITH HOLD")
		})
		if err != nil {
			return err
		}
	}
	_, err := c.q.ExecContext(once(ctx), declareText(c.name, opts, query), args...)
	if driver.SQLState(err) == "25P01" {
		return fmt.Errorf("%w: %w", ErrNoTransaction, err)
	}
	return err
}

// once is for statements whose text does not come again: they are not prepared.
func once(ctx context.Context) context.Context {
	never := false
	return driver.WithQueryOptions(ctx, driver.QueryOptions{Prepare: &never})
}

// Name is the cursor's name.
func (c *Cursor) Name() string { return c.name }

// Position is the number of the row on which the cursor stands, from 1: 0 before the first, one more than the last behind it;
// -1 where that is not known.
func (c *Cursor) Position() int64 { return c.place.position() }

// Move moves the cursor by n rows, backward where n is negative, and returns how many rows it went over: fewer than asked
// for when it came to an end. A cursor that does not scroll cannot go back: SQLSTATE 55000.
func (c *Cursor) Move(ctx context.Context, n int64) (int64, error) {
	if n == 0 {
		return 0, nil
	}
	moved, err := c.move(ctx, n, direction(n))
	if err != nil {
		return 0, err
	}
	c.place.passed(n, moved)
	return moved, nil
}

// MoveTo moves the cursor to row n, counted from 1, or from the end where n is negative; 0 is before the first row. It
// reports whether there is such a row: where there is none, the cursor stands behind the last one, or before the first.
// The next fetch gives the row behind the one that it moved to.
func (c *Cursor) MoveTo(ctx context.Context, n int64) (found bool, err error) {
	from := c.place.position()
	switch {
	case from >= 0 && n > 0 && !c.place.behind: // so that going forward needs no SCROLL
		if n == from {
			return true, nil
		}
		moved, err := c.Move(ctx, n-from)
		return err == nil && moved == max(n-from, from-n), err
	case from >= 0 && n >= from: // behind the last row already
		return false, nil
	case from >= 0 && n < 0: // so that the row's number is known
		if err := c.moveToEnd(ctx); err != nil {
			return false, err
		}
		moved, err := c.Move(ctx, n)
		return err == nil && moved == -n, err
	}
	moved, err := c.move(ctx, n, "absolute "+strconv.FormatInt(n, 10))
	if err != nil {
		return false, err
	}
	c.place.jumped(n, moved == 1)
	return moved == 1, nil
}

// moveToEnd moves behind the last row.
func (c *Cursor) moveToEnd(ctx context.Context) error {
	moved, err := c.move(ctx, 0, "forward all")
	if err == nil {
		c.place.passed(moved+1, moved)
	}
	return err
}

func (c *Cursor) move(ctx context.Context, n int64, to string) (int64, error) {
	if c.closed {
		return 0, c.errClosed()
	}
	if err := checkRows(n); err != nil {
		return 0, fmt.Errorf("ext: cursor %q: %w", c.name, err)
	}
	res, err := c.q.ExecContext(once(ctx), "move "+to+" from "+QuoteName(c.name))
	if err == nil {
		var moved int64
		if moved, err = res.RowsAffected(); err == nil {
			return moved, nil
		}
	}
	return 0, fmt.Errorf("ext: cursor %q: %w", c.name, err)
}

func (c *Cursor) errClosed() error { return fmt.Errorf("ext: cursor %q: the cursor is closed", c.name) }

// checkRows refuses a number of rows that FETCH and MOVE do not take.
func checkRows(n int64) error {
	if n > math.MaxInt32 || n < -math.MaxInt32 {
		return fmt.Errorf("%d rows: PostgreSQL takes up to %d at a time", n, math.MaxInt32)
	}
	return nil
}

// direction is the clause for n rows on.
func direction(n int64) string {
	if n < 0 {
		return "backward " + strconv.FormatUint(-uint64(n), 10)
	}
	return "forward " + strconv.FormatInt(n, 10)
}

// Close closes the cursor. It is no error where the server has closed it, with the transaction or after a failure, nor where
// it was closed before. It works after ctx has ended.
func (c *Cursor) Close(ctx context.Context) error {
	if c.closed {
		return nil
	}
	c.closed = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	_, err := c.q.ExecContext(once(ctx), "close "+QuoteName(c.name))
	switch state := driver.SQLState(err); {
	case err == nil, errors.Is(err, sql.ErrTxDone), errors.Is(err, sql.ErrConnDone):
		return nil
	case state == "34000", state == "25P02": // no such cursor; a failed transaction, whose end closes it
		return nil
	}
	return fmt.Errorf("ext: cursor %q: %w", c.name, err)
}
