package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	pgxdriver "github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// pgxConn is the connection below a *sql.Conn, as programs get it from either driver.
func pgxConn(driverConn any) *pgxdriver.Conn {
	switch c := driverConn.(type) {
	case *stdlib.Conn:
		return c.Conn()
	case *driver.Conn:
		return c.Conn()
	}
	return nil
}

// onPgxAndOurs runs a pgx/stdlib program on pgx/stdlib and on this driver.
func onPgxAndOurs(t *testing.T, program func(t *testing.T, db *sql.DB)) {
	t.Parallel()
	for _, name := range []string{pgx, ours} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program(t, open(t, name, dsnOf(t, sqltest.Options{})))
		})
	}
}

func TestPgxRawProgram(t *testing.T) {
	onPgxAndOurs(t, func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "create table n (i int8, s text)")
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		work := func(driverConn any) error {
			c := pgxConn(driverConn)
			if _, err := c.CopyFrom(t.Context(), pgxdriver.Identifier{"n"}, []string{"i", "s"}, pgxdriver.CopyFromSlice(1000, func(i int) ([]any, error) {
				return []any{i, fmt.Sprint("row ", i)}, nil
			})); err != nil {
				return err
			}
			var batch pgxdriver.Batch
			batch.Queue("update n set s = 'changed' where i = $1", 7)
			batch.Queue("select s from n where i = any($1)", []int64{7}).QueryRow(func(row pgxdriver.Row) error {
				var s string
				if err := row.Scan(&s); err != nil || s != "changed" {
					return fmt.Errorf("row 7 is %q: %w", s, err)
				}
				return nil
			})
			if err := c.SendBatch(t.Context(), &batch).Close(); err != nil {
				return err
			}
			rows, err := c.Query(t.Context(), "select i, s from n where i < 2 order by i")
			if err != nil {
				return err
			}
			type row struct {
				I int64
				S string
			}
			got, err := pgxdriver.CollectRows(rows, pgxdriver.RowToStructByName[row])
			if err == nil && fmt.Sprint(got) != "[{0 row 0} {1 row 1}]" {
				err = fmt.Errorf("rows %v", got)
			}
			return err
		}
		if err := conn.Raw(work); err != nil {
			t.Fatal(err)
		}
		if n := queryVal[int](t, conn, "select count(*) from n"); n != 1000 {
			t.Errorf("%d rows after Raw, want 1000", n)
		}
		tx, err := conn.BeginTx(t.Context(), nil) // BEGIN must be there before Raw copies
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Raw(func(driverConn any) error {
			_, err := pgxConn(driverConn).Exec(t.Context(), "truncate n")
			return errors.Join(err, work(driverConn))
		}); err != nil {
			t.Error(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if n := queryVal[int](t, conn, "select count(*) from n"); n != 1000 {
			t.Errorf("%d rows after the rollback, want 1000", n)
		}
	})
}

func TestPgxArgumentsProgram(t *testing.T) {
	onPgxAndOurs(t, func(t *testing.T, db *sql.DB) {
		for _, mode := range []pgxdriver.QueryExecMode{
			pgxdriver.QueryExecModeCacheStatement, pgxdriver.QueryExecModeCacheDescribe, pgxdriver.QueryExecModeDescribeExec,
			pgxdriver.QueryExecModeExec, pgxdriver.QueryExecModeSimpleProtocol,
		} {
			if n := queryVal[int](t, db, "select $1::int4 + 1", mode, 41); n != 42 {
				t.Errorf("%v: %d, want 42", mode, n)
			}
			if n := queryVal[int](t, db, "select @n::int4 + @n::int4 -- @comment", mode, pgxdriver.NamedArgs{"n": 21}); n != 42 {
				t.Errorf("%v with NamedArgs: %d, want 42", mode, n)
			}
		}
		if s := queryVal[string](t, db, "select '@n' || @n::text", pgxdriver.NamedArgs{"n": "x", "unused": 1}); s != "@nx" {
			t.Errorf("NamedArgs beside a string: %s", s)
		}
		if n := queryVal[int](t, db, "select $1::int4", pgxdriver.QueryResultFormats{pgxdriver.TextFormatCode}, 42); n != 42 {
			t.Errorf("QueryResultFormats: %d", n)
		}
		if n := queryVal[int](t, db, "select $1::int4", pgxdriver.QueryResultFormatsByOID{pgtype.Int4OID: pgxdriver.BinaryFormatCode}, 42); n != 42 {
			t.Errorf("QueryResultFormatsByOID: %d", n)
		}
		if _, err := db.ExecContext(t.Context(), "select @n::int4", pgxdriver.StrictNamedArgs{"m": 1}); err == nil {
			t.Error("StrictNamedArgs without @n: no error")
		}
	})
}

func TestPgxTypesProgram(t *testing.T) {
	onPgxAndOurs(t, func(t *testing.T, db *sql.DB) {
		at := time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC)
		want := fmt.Sprint(pgtype.Text{String: "x", Valid: true}, pgtype.Int8{}, "12.50", at, "{1 2}", pgtype.Date{InfinityModifier: pgtype.Infinity, Valid: true}, pgtype.Interval{Months: 1, Microseconds: 5e6, Valid: true})
		for range 7 {
			var word pgtype.Text
			var none pgtype.Int8
			var number pgtype.Numeric
			var instant pgtype.Timestamptz
			var ids []int32
			var forever pgtype.Date
			var span pgtype.Interval
			m := pgtype.NewMap()
			if err := db.QueryRowContext(t.Context(), "select $1::text, $2::int8, $3::numeric(8,2), $4::timestamptz, $5::int4[], $6::date, $7::interval",
				pgtype.Text{String: "x", Valid: true}, pgtype.Int8{}, 12.5, pgtype.Timestamptz{Time: at, Valid: true}, []int32{1, 2},
				pgtype.Date{InfinityModifier: pgtype.Infinity, Valid: true}, pgtype.Interval{Months: 1, Microseconds: 5e6, Valid: true},
			).Scan(&word, &none, &number, &instant, m.SQLScanner(&ids), &forever, &span); err != nil {
				t.Fatal(err)
			}
			digits, err := number.MarshalJSON()
			if got := fmt.Sprint(word, none, string(digits), instant.Time.UTC(), fmt.Sprintf("{%d %d}", ids[0], ids[1]), forever, span); got != want || err != nil {
				t.Errorf("read back %s, %v, want %s", got, err, want)
			}
		}
	})
}

func TestPgxListenProgram(t *testing.T) {
	onPgxAndOurs(t, func(t *testing.T, db *sql.DB) {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		mustExec(t, conn, "listen news")
		mustExec(t, db, "notify news, 'first'")
		mustExec(t, conn, "select 1") // which brings the first
		mustExec(t, db, "notify news, 'second'")
		if err := conn.Raw(func(driverConn any) error {
			for _, want := range []string{"first", "second"} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				n, err := pgxConn(driverConn).WaitForNotification(ctx)
				cancel()
				if err != nil || n == nil || n.Payload != want {
					return fmt.Errorf("notification %v, %w, want %s", n, err, want)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		mustExec(t, conn, "unlisten news")
	})
}
