package driver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestWrongArgumentCountNamesBothNumbers(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create sequence s")
	tests := []struct {
		query string
		args  []any
		want  [2]string
	}{
		{"select nextval('s') + $1 + $2", []any{1}, [2]string{"2", "1"}},
		{"select nextval('s') + $1", []any{1, 2, 3}, [2]string{"1", "3"}},
		{"select nextval('s')", []any{1}, [2]string{"0", "1"}},
		{"select nextval('s') + $1::int", nil, [2]string{"1", "0"}},
	}
	for _, tt := range tests {
		tx := begin(t, db)
		for range 2 { // the second time the statement is known
			_, err := tx.ExecContext(t.Context(), tt.query, tt.args...)
			if err == nil || !strings.Contains(err.Error(), "takes "+tt.want[0]+" arg") || !strings.Contains(err.Error(), tt.want[1]+" w") {
				t.Errorf("%q with %v: error = %v, want the numbers %v", tt.query, tt.args, err, tt.want)
			}
		}
		if n := number(t, tx, "select 1"); n != 1 {
			t.Error("the transaction is not usable any more")
		}
		if err := tx.Commit(); err != nil {
			t.Errorf("commit: %v", err)
		}
	}
	stmt, err := db.PrepareContext(t.Context(), "select nextval('s') + $1")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(t.Context()); err == nil || !strings.Contains(err.Error(), "1") || !strings.Contains(err.Error(), "0") {
		t.Errorf("prepared: error = %v, want the numbers 1 and 0", err)
	}
	if n := executions(t, db, "s"); n != 0 {
		t.Errorf("%d statements were executed, want none", n)
	}
}

func TestStatementTextThatCannotTravelIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx := begin(t, db)
	for query, want := range map[string]string{
		"select 1 -- \x00":     "offset 12",
		"select '\xff'":        "offset 8",
		"select 'ok\uFFFD\xc3": "offset 13",
	} {
		if _, err := tx.ExecContext(t.Context(), query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Exec %q: %v, want %q named", query, err, want)
		}
		if _, err := tx.QueryContext(t.Context(), query, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Query %q: %v, want %q named", query, err, want)
		}
		if _, err := tx.PrepareContext(t.Context(), query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Prepare %q: %v, want %q named", query, err, want)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Errorf("commit: %v, want the transaction untouched", err)
	}
}

// manyPlaceholders is a statement that takes n arguments and returns its first.
func manyPlaceholders(n int) string {
	var b strings.Builder
	b.WriteString("select a from (select $1::int as a) x where 1 not in (")
	for i := 2; i <= n; i++ {
		if i > 2 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", i)
	}
	b.WriteByte(')')
	return b.String()
}

func TestAsManyArgumentsAsTheProtocolCarries(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	args := make([]any, 65535)
	for i := range args {
		args[i] = 7
	}
	query := manyPlaceholders(len(args))
	for range 2 {
		if n := number(t, db, query, args...); n != 7 {
			t.Errorf("got %d, want 7", n)
		}
	}
}

func TestMoreArgumentsThanTheProtocolCarriesAreRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create sequence s")
	tx := begin(t, db)
	args := make([]any, 65536)
	for i := range args {
		args[i] = 7
	}
	for _, query := range []string{"select nextval('s')", manyPlaceholders(3)} {
		_, err := tx.ExecContext(t.Context(), query, args...)
		if err == nil || !strings.Contains(err.Error(), "65536") || !strings.Contains(err.Error(), "65535") || sqlState(err) != "" {
			t.Errorf("error = %v, want the driver's own, naming 65536 and 65535", err)
		}
	}
	if n := executions(t, tx, "s"); n != 0 {
		t.Errorf("%d executions, want 0", n)
	}
}

func TestCopyIsRefusedWhereItsDataHasNoWay(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	mustExec(t, conn, "create table item (n int)")
	for _, query := range []string{
		"copy item from stdin", "copy item to stdout", "COPY (select 1) TO STDOUT", // seen in the text
		"select 1; copy item from stdin", "select 1; copy (select * from generate_series(1, 100000)) to stdout", // seen on the wire
	} {
		pid := backendPID(t, conn)
		_, err := conn.ExecContext(t.Context(), query)
		if err == nil || !strings.Contains(err.Error(), "COPY") {
			t.Errorf("Exec %q: error = %v", query, err)
		}
		rows, err := conn.QueryContext(t.Context(), query)
		if err == nil {
			_, err = readSets(rows)
		}
		if err == nil || !strings.Contains(err.Error(), "COPY") {
			t.Errorf("Query %q: error = %v", query, err)
		}
		if got := backendPID(t, conn); got != pid {
			t.Errorf("%q cost the connection", query)
		}
	}
	if n := number(t, conn, "select count(*) from item"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
}

func TestFailedArgumentEncodingSendsNothing(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	if _, err := tx.ExecContext(t.Context(), "select $1", struct{ X int }{1}); err == nil || !strings.Contains(err.Error(), "$1") && !strings.Contains(err.Error(), "struct") {
		t.Errorf("error = %v, want one that names the argument", err)
	}
	if err := tx.Commit(); err != nil {
		t.Errorf("commit: %v", err)
	}
}

func TestStatementLargerThanTheKeptBuffer(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, size := range []int{1 << 10, 1 << 20, 10} {
		text := strings.Repeat("x", size)
		if got := word(t, db, "select $1::text", text); got != text {
			t.Errorf("%d bytes came back as %d", size, len(got))
		}
		if got := word(t, db, "select '"+text+"'"); got != text {
			t.Errorf("%d bytes in the text came back as %d", size, len(got))
		}
	}
}

func TestTransactionPoolerLeavesNoNamedStatement(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Pooler = driver.PoolerTransaction; cfg.PrepareThreshold = 0 })
	conn := one(t, db)
	stmt, err := conn.PrepareContext(t.Context(), "select $1::int + 1")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for i := range 8 {
		var n int
		if err := stmt.QueryRowContext(context.Background(), i).Scan(&n); err != nil || n != i+1 {
			t.Fatalf("prepared: %d, %v, want %d", n, err, i+1)
		}
		if got := number(t, conn, "select $1::int + 2", i); got != int64(i+2) {
			t.Fatalf("got %d, want %d", got, i+2)
		}
	}
	if n := number(t, conn, "select count(*) from pg_prepared_statements"); n != 0 {
		t.Errorf("%d statements are prepared on the server, want 0", n)
	}
}
