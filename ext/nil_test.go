package ext_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

func TestNilHandlesAreErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	xid, err := ext.NewXid(1, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(q ext.Querier) error{
		"Query":    func(q ext.Querier) error { _, err := ext.Query[int](ctx, q, "select 1"); return err },
		"QueryVal": func(q ext.Querier) error { _, err := ext.QueryVal[[]int](ctx, q, "select 1"); return err },
		"QueryFunc": func(q ext.Querier) error {
			_, err := ext.QueryFunc(ctx, q, func(*sql.Rows) (int, error) { return 0, nil }, "")
			return err
		},
		"Stream": func(q ext.Querier) error {
			for _, err := range ext.Stream[int](ctx, q, "select 1") {
				return err
			}
			return nil
		},
		"Exec":     func(q ext.Querier) error { _, err := ext.Exec(ctx, q, "select 1"); return err },
		"ExecMany": func(q ext.Querier) error { _, err := ext.ExecMany(ctx, q, "select 1", [][]any{{}}); return err },
		"UpdateWhere": func(q ext.Querier) error {
			_, err := ext.UpdateWhere(ctx, q, "t", map[string]any{"a": 1}, "true")
			return err
		},
		"CallProc": func(q ext.Querier) error { return ext.CallProc(ctx, q, "p") },
		"InTx": func(q ext.Querier) error {
			return ext.InTx(ctx, q, ext.TxOptions{}, func(*ext.Tx) error { return nil })
		},
		"Savepoint": func(q ext.Querier) error {
			return ext.Savepoint(ctx, q, "", func(context.Context) error { return nil })
		},
		"Pipeline": func(q ext.Querier) error {
			return ext.Pipeline(ctx, q, func(p *ext.Pipe) error { p.Exec("select 1"); return nil })
		},
		"DeclareCursor": func(q ext.Querier) error {
			_, err := ext.DeclareCursor(ctx, q, "c", ext.CursorOptions{}, "select 1")
			return err
		},
		"AttachCursor":      func(q ext.Querier) error { _, err := ext.AttachCursor(q, "c", ext.CursorOptions{}); return err },
		"CreateLargeObject": func(q ext.Querier) error { _, err := ext.CreateLargeObject(ctx, q, 0); return err },
		"OpenLargeObject":   func(q ext.Querier) error { _, err := ext.OpenLargeObject(ctx, q, 1, ext.LargeObjectRead); return err },
		"RemoveLargeObject": func(q ext.Querier) error { return ext.RemoveLargeObject(ctx, q, 1) },
		"RecoverPrepared":   func(q ext.Querier) error { _, err := ext.RecoverPrepared(ctx, q); return err },
		"Info":              func(q ext.Querier) error { _, err := ext.Info(ctx, q); return err },
		"OnNotice":          func(q ext.Querier) error { _, err := ext.OnNotice(ctx, q, func(ext.Notice) {}); return err },
		"TakeNotifications": func(q ext.Querier) error { _, err := ext.TakeNotifications(ctx, q); return err },
		"LookupType":        func(q ext.Querier) error { _, err := ext.LookupType(ctx, q, "int4"); return err },
		"BeginTPC":          func(ext.Querier) error { _, err := ext.BeginTPC(ctx, nil, xid); return err },
		"CommitPrepared":    func(ext.Querier) error { return ext.CommitPrepared(ctx, nil, xid) },
		"CommitSession":     func(ext.Querier) error { return ext.CommitSession(ctx, nil) },
		"NewCanceler":       func(ext.Querier) error { _, err := ext.NewCanceler(ctx, nil); return err },
		"WithSession":       func(ext.Querier) error { return ext.WithSession(ctx, nil, ext.SessionOptions{}, nil) },
		"ExecOutsideTx":     func(ext.Querier) error { return ext.ExecOutsideTx(ctx, nil, "vacuum") },
	}
	for name, call := range calls {
		for _, q := range []ext.Querier{nil, (*sql.DB)(nil), (*sql.Conn)(nil), (*sql.Tx)(nil)} {
			err := call(q)
			if name == "InTx" && q == nil && err != nil {
				continue // it says what it takes
			}
			if err == nil || !strings.Contains(err.Error(), "the handle is ") || !strings.Contains(err.Error(), "nil") {
				t.Errorf("%s(%T): %v", name, q, err)
			}
		}
	}
}

func TestNilArgumentsAreErrors(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	conn := one(t, db)
	oid, err := ext.CreateLargeObject(ctx, db, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		call func() error
		want string
	}{
		"OnNotice":       {func() error { _, err := ext.OnNotice(ctx, conn, nil); return err }, "no handler"},
		"OnNotification": {func() error { _, err := ext.OnNotification(ctx, conn, nil); return err }, "no handler"},
		"ExecManySeq":    {func() error { _, err := ext.ExecManySeq(ctx, db, "select 1", nil); return err }, "the sequence is nil"},
		"InsertManySeq": {func() error {
			_, err := ext.InsertManySeq[map[string]any](ctx, db, "t", nil, ext.InsertOptions{})
			return err
		}, "the sequence is nil"},
		"ImportLargeObject": {func() error { _, _, err := ext.ImportLargeObject(ctx, db, nil); return err }, "the reader is nil"},
		"ExportLargeObject": {func() error { _, err := ext.ExportLargeObject(ctx, db, oid, nil); return err }, "the writer is nil"},
		"JSON":              {func() error { return db.QueryRow("select '1'::json").Scan(ext.JSON[int](nil)) }, "nil *int"},
		"Array":             {func() error { return db.QueryRow("select '{1}'::int[]").Scan(ext.Array[[]int](nil)) }, "*[]int"},
		"Composite":         {func() error { return db.QueryRow("select row(1)").Scan(ext.Composite[struct{ A int }](nil)) }, "struct"},
		"Into":              {func() error { return db.QueryRow("select '{1}'::int[]").Scan(ext.Into[[]int](nil)) }, "*[]int"},
	} {
		if err := test.call(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, arg := range []any{ext.Array[[]int](nil), ext.JSON[int](nil), ext.Composite[struct{ A int }](nil)} {
		if got, err := ext.QueryVal[bool](ctx, db, "select $1::text is null", arg); err != nil || !got {
			t.Errorf("a nil pointer as an argument: %v, %v", got, err)
		}
	}
}

func TestANilNoticeHandlerIsNone(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	var got []string
	outer := ext.WithNotices(ctx, func(n ext.Notice) { got = append(got, n.Message) })
	if inner := ext.WithNotices(outer, nil); inner != outer {
		t.Error("another context")
	}
	if _, err := db.ExecContext(driver.WithNotices(outer, nil), "do $$begin raise notice 'heard'; end$$"); err != nil || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

// breaking is a Scanner whose code panics.
type breaking struct{ X int }

func (*breaking) Scan(any) error { panic("in Scan") }

// breakingText is a TextUnmarshaler whose code panics.
type breakingText struct{ X int }

func (*breakingText) UnmarshalText([]byte) error { panic("in UnmarshalText") }

func TestAPanicOfAScannerIsAnError(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	type row struct{ A breaking }
	type pointers struct{ A *breaking }
	for _, q := range []ext.Querier{db, one(t, db), begin(t, db)} {
		for name, call := range map[string]func() error{
			"value":         func() error { _, err := ext.Query[breaking](ctx, q, "select 1"); return err },
			"first value":   func() error { _, err := ext.QueryVal[breaking](ctx, q, "select 1"); return err },
			"pointer":       func() error { _, err := ext.Query[*breaking](ctx, q, "select 1"); return err },
			"sql.Null":      func() error { _, err := ext.Query[sql.Null[breaking]](ctx, q, "select 1"); return err },
			"field":         func() error { _, err := ext.Query[row](ctx, q, "select 1 as a"); return err },
			"rows":          func() error { _, err := ext.Query[*row](ctx, q, "select 1 as a"); return err },
			"pointer field": func() error { _, err := ext.Query[pointers](ctx, q, "select 1 as a"); return err },
			"text":          func() error { _, err := ext.Query[breakingText](ctx, q, "select 'x'"); return err },
			"array":         func() error { _, err := ext.Query[[]breaking](ctx, q, "select '{1}'::int[]"); return err },
			"stream": func() error {
				for _, err := range ext.Stream[breaking](ctx, q, "select 1") {
					return err
				}
				return nil
			},
			"pipeline": func() error {
				return ext.Pipeline(ctx, q, func(p *ext.Pipe) error { ext.QueueVal[breaking](p, "select 1"); return nil })
			},
			"Array": func() error {
				var v []breaking
				return q.QueryRowContext(ctx, "select '{1}'::int[]").Scan(ext.Array(&v))
			},
		} {
			if err := call(); err == nil || !strings.Contains(err.Error(), "panic: in ") {
				t.Errorf("%T: %s: %v", q, name, err)
			}
			if got := word(t, q, "select 'usable'"); got != "usable" {
				t.Fatalf("%T: %s: %q", q, name, got)
			}
		}
	}
	if v, err := ext.Query[*breaking](ctx, db, "select null::int"); err != nil || len(v) != 1 || v[0] != nil {
		t.Errorf("NULL: %v, %v", v, err)
	}
}

// cutOff gives text and then says, as a decompressor does, that its data ended too early.
type cutOff struct{ text *strings.Reader }

func (c cutOff) Read(p []byte) (int, error) {
	if c.text.Len() == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return c.text.Read(p)
}

func TestALargeObjectOfDataThatWasCutOffIsRefused(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	if _, _, err := ext.ImportLargeObject(ctx, db, cutOff{strings.NewReader("half")}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if n, err := ext.QueryVal[int](ctx, db, "select count(*) from pg_largeobject_metadata"); err != nil || n != 0 {
		t.Errorf("%d objects, %v", n, err)
	}
}

func TestWhatALargeObjectRefusesLeavesTheTransactionUsable(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	tx := begin(t, db)
	oid, err := ext.CreateLargeObject(ctx, tx, 0)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ext.OpenLargeObject(ctx, tx, oid, ext.LargeObjectReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	const most = math.MaxInt32 * int64(2048)
	for _, seek := range []struct {
		offset int64
		whence int
		want   string
	}{
		{-1, io.SeekStart, "before the start"},
		{-6, io.SeekCurrent, "before the start"},
		{math.MinInt64, io.SeekCurrent, "before the start"},
		{-6, io.SeekEnd, "before the start"},
		{math.MinInt64, io.SeekEnd, "before the start"},
		{most + 1, io.SeekStart, "4 TiB"},
		{most - 4, io.SeekCurrent, "4 TiB"},
		{most - 4, io.SeekEnd, "4 TiB"},
		{math.MaxInt64, io.SeekEnd, "4 TiB"},
	} {
		if _, err := o.Seek(seek.offset, seek.whence); err == nil || !strings.Contains(err.Error(), seek.want) || sqlState(err) != "" {
			t.Errorf("seek %v: %v", seek, err)
		}
		if at, err := o.Seek(0, io.SeekCurrent); at != 5 || err != nil {
			t.Errorf("after seek %v: %d, %v, want the position as it was", seek, at, err)
		}
	}
	if at, err := o.Seek(most-5, io.SeekEnd); at != most || err != nil {
		t.Errorf("seek: %d, %v", at, err)
	}
	if at, err := o.Seek(-most, io.SeekCurrent); at != 0 || err != nil {
		t.Errorf("seek: %d, %v", at, err)
	}
	if at, err := o.Seek(0, io.SeekEnd); at != 5 || err != nil {
		t.Errorf("seek: %d, %v", at, err)
	}
	if at, err := o.Seek(-2, io.SeekCurrent); at != 3 || err != nil {
		t.Errorf("seek: %d, %v", at, err)
	}
	r, err := ext.OpenLargeObject(ctx, tx, oid, ext.LargeObjectRead)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write([]byte("x")); err == nil || !strings.Contains(err.Error(), "for reading alone") {
		t.Errorf("write: %v", err)
	}
	if err := r.Truncate(0); err == nil || !strings.Contains(err.Error(), "for reading alone") {
		t.Errorf("truncate: %v", err)
	}
	if _, err := r.ReadFrom(strings.NewReader("x")); err == nil || !strings.Contains(err.Error(), "for reading alone") {
		t.Errorf("read from: %v", err)
	}
	if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
