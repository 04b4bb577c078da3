package driver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// copyTimeout is when a COPY of these tests is taken for hung.
const copyTimeout = time.Minute

func copyContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), copyTimeout)
	t.Cleanup(cancel)
	return ctx
}

// copyIn runs fill on a COPY inside one call of Do, and closes it.
func copyIn(ctx context.Context, h driver.Execer, statement string, fill func(ci *driver.CopyIn) error) (int64, error) {
	return driver.Do(ctx, h, statement, func(ctx context.Context, c *driver.Conn) (int64, error) {
		ci, err := c.CopyIn(ctx, statement)
		if err != nil {
			return 0, err
		}
		if err := fill(ci); err != nil {
			return 0, errors.Join(err, ci.Abort(err))
		}
		return ci.Close()
	})
}

// lines writes the numbers from 1 to n, a line each.
func lines(n int) func(*driver.CopyIn) error {
	return func(ci *driver.CopyIn) error {
		var line []byte
		for i := range n {
			line = fmt.Appendf(line[:0], "%d\n", i+1)
			if _, err := ci.Write(line); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestCopyInStoresRows(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{0, 1, 1000, 1_000_000} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table numbers (n bigint)")
			n, err := copyIn(copyContext(t), db, "copy numbers from stdin", lines(rows))
			if err != nil || n != int64(rows) {
				t.Fatalf("rows = %d, %v; want %d", n, err, rows)
			}
			if got, want := number(t, db, "select coalesce(sum(n), 0) from numbers"), int64(rows)*int64(rows+1)/2; got != want {
				t.Errorf("sum = %d, want %d", got, want)
			}
		})
	}
}

func TestCopyInTakesPiecesOfAnySize(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table wide (id int, body text)")
	var stream bytes.Buffer
	for i := range 20 {
		fmt.Fprintf(&stream, "%d\t%s\n", i, strings.Repeat(string(rune('a'+i)), i*40_000))
	}
	for _, piece := range []int{7, 1000, 16 << 10, 65_000, 65_536, 300_000, stream.Len()} {
		n, err := copyIn(copyContext(t), db, "copy wide from stdin", func(ci *driver.CopyIn) error {
			rest := stream.Bytes()
			for len(rest) > 0 {
				k := min(piece, len(rest))
				if n, err := ci.Write(rest[:k]); err != nil || n != k {
					return fmt.Errorf("Write of %d = %d, %w", k, n, err)
				}
				rest = rest[k:]
			}
			return nil
		})
		if err != nil || n != 20 {
			t.Fatalf("pieces of %d: rows = %d, %v", piece, n, err)
		}
		const wrong = "select count(*) from wide where body is distinct from repeat(chr(97 + id), id * 40000)"
		if n := number(t, db, wrong); n != 0 {
			t.Errorf("pieces of %d: %d rows are not what was written", piece, n)
		}
		mustExec(t, db, "truncate wide")
	}
}

func TestCopyInReadsFrom(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	conn := one(t, db)
	data := bytes.Repeat([]byte("12345\n"), 100_000)
	n, err := copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
		io.WriteString(ci, "1\n")
		n, err := ci.ReadFrom(iotest.HalfReader(bytes.NewReader(data)))
		if n != int64(len(data)) {
			t.Errorf("ReadFrom = %d, want %d", n, len(data))
		}
		return err
	})
	if err != nil || n != 100_001 {
		t.Errorf("rows = %d, %v", n, err)
	}
	_, err = copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
		_, err := ci.ReadFrom(iotest.TimeoutReader(bytes.NewReader(data)))
		return err
	})
	if !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("error of the reader = %v", err)
	}
	_, err = copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
		_, err := ci.ReadFrom(endlessReader{})
		return err
	})
	if sqlState(err) != "22P02" {
		t.Errorf("error of the server = %v", err)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 100_001 {
		t.Errorf("rows = %d", n)
	}
}

// endlessReader gives lines that are no numbers.
type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "x\n"[i%2]
	}
	return len(p), nil
}

func TestCopyInTellsFormat(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table pair (a int, b int)")
	for statement, binary := range map[string]bool{
		"copy pair from stdin":                         false,
		"copy pair from stdin (format csv)":            false,
		"copy pair from stdin with (format binary)":    true,
		`/* x */ CoPy binary "pair" (a, b) From Stdin`: true,
	} {
		_, err := copyIn(copyContext(t), db, statement, func(ci *driver.CopyIn) error {
			if ci.Binary() != binary || ci.Columns() != 2 {
				t.Errorf("%s: binary %v with %d columns", statement, ci.Binary(), ci.Columns())
			}
			return errStop
		})
		if !errors.Is(err, errStop) {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

var errStop = errors.New("stop")

func TestCopyInRefusesOtherStatements(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint)")
	for statement, state := range map[string]string{
		"delete from numbers":                                     "",
		"copy numbers to stdout":                                  "",
		"copy numbers from '/dev/null'":                           "",
		"copy numbers from stdin; insert into numbers values (1)": "",
		"copy numbers from stdin\x00":                             "22021",
		"copy nowhere from stdin":                                 "42P01",
		"copy numbers (m) from stdin":                             "42703",
		"copy numbers from stdin (format odd)":                    "22023",
	} {
		_, err := copyIn(copyContext(t), db, statement, lines(1))
		if err == nil || sqlState(err) != state {
			t.Errorf("%q: %v, want SQLSTATE %q", statement, err, state)
		}
	}
	if n := number(t, db, "select count(*) from numbers"); n != 0 {
		t.Errorf("rows = %d", n)
	}
}

// TestCopyInNoticesErrorEarly writes without end: only a noticed error ends it.
func TestCopyInNoticesErrorEarly(t *testing.T) {
	t.Parallel()
	for _, row := range []int{1, 70_000} {
		t.Run(fmt.Sprint(row), func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, "create table numbers (n bigint)")
			conn := one(t, db)
			_, err := copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
				for i := 1; ; i++ {
					line := "1234567890\n"
					if i == row {
						line = "x\n"
					}
					if _, err := io.WriteString(ci, line); err != nil {
						if _, again := ci.Write([]byte("1\n")); again != err {
							t.Errorf("second Write: %v, want the same error", again)
						}
						return err
					}
				}
			})
			if sqlState(err) != "22P02" || !strings.Contains(asServer(err).Where, fmt.Sprintf("line %d,", row)) {
				t.Errorf("error = %v", err)
			}
			if n := number(t, conn, "select count(*) from numbers"); n != 0 {
				t.Errorf("rows = %d", n)
			}
		})
	}
}

func TestCopyInErrorAtTheEnd(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table numbers (n bigint primary key)")
	conn := one(t, db)
	_, err := copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
		_, err := io.WriteString(ci, "1\n2\n1\n")
		return err
	})
	if sqlState(err) != "23505" {
		t.Errorf("error = %v", err)
	}
	mustExec(t, db, "alter table numbers add parent bigint references numbers deferrable initially deferred")
	_, err = copyIn(copyContext(t), conn, "copy numbers from stdin", func(ci *driver.CopyIn) error {
		_, err := io.WriteString(ci, "1\t9\n")
		return err
	})
	if sqlState(err) != "23503" {
		t.Errorf("deferred constraint: %v", err)
	}
	if n := number(t, conn, "select count(*) from numbers"); n != 0 {
		t.Errorf("rows = %d", n)
	}
}

func TestCopyInAllocatesNothingPerWrite(t *testing.T) {
	db := openDB(t)
	mustExec(t, db, "create unlogged table body (b text)")
	_, err := copyIn(copyContext(t), db, "copy body from stdin", func(ci *driver.CopyIn) error {
		line := append(bytes.Repeat([]byte{'x'}, 4095), '\n')
		small, large := line, bytes.Repeat(line, 64)
		for range 64 {
			ci.Write(small)
		}
		for _, p := range [][]byte{small, large} {
			if n := testing.AllocsPerRun(100, func() { ci.Write(p) }); n > 0 {
				t.Errorf("%v allocations for a write of %d bytes", n, len(p))
			}
		}
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Fatal(err)
	}
}

// asServer is the server's error in err, an empty one where there is none.
func asServer(err error) *pgconn.PgError {
	pg := &pgconn.PgError{}
	errors.As(err, &pg)
	return pg
}
