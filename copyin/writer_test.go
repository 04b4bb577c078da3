package copyin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func TestWriterTakesRowsOrAStream(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		for _, n := range []int{0, 1, 4000} {
			var report copyin.Report
			w, err := copyin.NewWriter(t.Context(), q, "item", copyin.Options{Report: &report})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range itemRows(n) {
				if err := w.WriteRow(row...); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil || w.Rows() != int64(n) || w.Close() != nil {
				t.Fatalf("%d rows: %d, %v", n, w.Rows(), err)
			}
			if n > 0 && report.Format != copyin.Binary {
				t.Errorf("report: %+v", report)
			}
			if n > 0 {
				wantItems(t, q, n)
			}
		}
		w, err := copyin.NewWriter(t.Context(), q, "item", copyin.Options{Columns: []string{"id", "name"}, Format: copyin.CSVFormat})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20_000 {
			fmt.Fprintf(w, "%d,name %d\n", i, i)
		}
		if err := w.WriteRow(1, "x"); err == nil {
			t.Error("a row in the middle of a stream was accepted")
		}
		if err := w.Close(); err != nil || w.Rows() != 20_000 {
			t.Errorf("stream: %d, %v", w.Rows(), err)
		}
		mustExec(t, q, "truncate item")
	})
}

func TestWriterOfCSVBehindAMarker(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table line (a text)")
	marked := marks(t, db)
	for _, rest := range []string{"", "x\n"} {
		w, err := copyin.NewWriter(t.Context(), db, "line", copyin.Options{Format: copyin.CSVFormat})
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []string{"a\n\"\n\\.\n\"\n\\", ".", "\n" + rest} {
			_, err = w.Write([]byte(piece))
		}
		var row *copyin.RowError
		if lost := marked && rest != ""; lost != (errors.As(err, &row) && row.Row == 5) || lost != (w.Close() != nil) {
			t.Errorf("%q: %v", rest, err)
		}
	}
	want := "2"
	if !marked {
		want = "7"
	}
	if got := word(t, db, "select count(*) from line"); got != want {
		t.Errorf("%s rows, want %s", got, want)
	}
}

func TestWriterOfNoFormat(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	if _, err := copyin.NewWriter(t.Context(), db, "item", copyin.Options{Format: 17}); err == nil || !strings.Contains(err.Error(), "Format is 17") {
		t.Errorf("%v", err)
	}
}

func TestWriterHoldsItsConnection(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	for _, q := range []ext.Querier{one(t, db), begin(t, db)} {
		w, err := copyin.NewWriter(t.Context(), q, "item", copyin.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.ExecContext(t.Context(), "select 1"); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("statement meanwhile: %v", err)
		}
		if _, err := copyin.NewWriter(t.Context(), q, "item", copyin.Options{}); !errors.Is(err, driver.ErrBusy) {
			t.Errorf("second writer: %v", err)
		}
		w.Abort(nil)
		w.Abort(nil)
		if err := w.Close(); err == nil {
			t.Error("Close after Abort is nil")
		}
		if _, err := io.WriteString(w, "1\n"); err == nil {
			t.Error("Write after Abort is nil")
		}
		mustExec(t, q, "select 1") // nothing was sent, so a transaction goes on
	}
}

func TestWriterEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	conn := one(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := copyin.NewWriter(ctx, conn, "item", copyin.Options{Columns: []string{"id"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30_000 {
		if err := w.WriteRow(i); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := w.Close(); !errors.Is(err, context.Canceled) || w.Rows() != 0 {
		t.Errorf("Close: %v, %d rows", err, w.Rows())
	}
	if got := word(t, conn, "select count(*) from item"); got != "0" {
		t.Errorf("%s rows", got)
	}
}
