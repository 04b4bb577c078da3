package ext_test

import (
	"bytes"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

func largeObject(t testing.TB, q ext.Querier) *ext.LargeObject {
	t.Helper()
	oid, err := ext.CreateLargeObject(t.Context(), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ext.OpenLargeObject(t.Context(), q, oid, ext.LargeObjectReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestLargeObjectIsAFile(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for name, tx := range map[string]*sql.Tx{"Tx": begin(t, db), "wrapping driver": begin(t, wrap(t, db))} {
		o := largeObject(t, tx)
		data := make([]byte, 2<<20+17)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		if n, err := o.Write(data); n != len(data) || err != nil {
			t.Fatal(name, n, err)
		}
		if at, err := o.Seek(0, io.SeekStart); at != 0 || err != nil {
			t.Fatal(name, at, err)
		}
		if err := iotest.TestReader(io.LimitReader(o, 3000), data[:3000]); err != nil {
			t.Error(name, err)
		}
		o.Seek(0, io.SeekStart)
		var all bytes.Buffer
		if n, err := io.Copy(&all, o); n != int64(len(data)) || err != nil || !bytes.Equal(all.Bytes(), data) {
			t.Errorf("%s: copied %d, %v, equal: %v", name, n, err, bytes.Equal(all.Bytes(), data))
		}
		if n, err := o.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: %d, %v at the end, want io.EOF", name, n, err)
		}
		if n, err := o.Read(nil); n != 0 || err != nil {
			t.Errorf("%s: %d, %v of no bytes", name, n, err)
		}
		if at, err := o.Seek(-7, io.SeekEnd); at != int64(len(data))-7 || err != nil {
			t.Errorf("%s: %d, %v", name, at, err)
		}
		if err := o.Truncate(10); err != nil {
			t.Error(name, err)
		}
		if at, err := o.Seek(0, io.SeekCurrent); at != int64(len(data))-7 || err != nil {
			t.Errorf("%s: Truncate moved the position to %d, %v", name, at, err)
		}
		o.Seek(12, io.SeekStart)
		o.Write([]byte("ab"))
		o.Seek(5, io.SeekStart)
		rest, err := io.ReadAll(o)
		if want := append(append([]byte(nil), data[5:10]...), "\x00\x00ab"...); err != nil || !bytes.Equal(rest, want) {
			t.Errorf("%s: %x, %v, want %x", name, rest, err, want)
		}
		if err := o.Truncate(1 << 20); err != nil {
			t.Error(name, err)
		}
		if at, err := o.Seek(0, io.SeekEnd); at != 1<<20 || err != nil {
			t.Errorf("%s: longer by Truncate: %d, %v", name, at, err)
		}
		mustExec(t, tx, "select 1")
		for range 2 {
			if err := o.Close(); err != nil {
				t.Error(name, err)
			}
		}
		if _, err := o.Write([]byte("x")); err == nil || !strings.Contains(err.Error(), fmt.Sprint(o.OID())) {
			t.Errorf("%s: closed: %v", name, err)
		}
		if err := ext.RemoveLargeObject(t.Context(), tx, o.OID()); err != nil {
			t.Error(name, err)
		}
		if _, err := ext.OpenLargeObject(t.Context(), tx, o.OID(), ext.LargeObjectRead); sqlState(err) != "42704" {
			t.Errorf("%s: removed: %v, want 42704", name, err)
		}
	}
}

func TestLargeObjectBeyond4GiB(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	o := largeObject(t, tx)
	const at = 5 << 30
	if got, err := o.Seek(at, io.SeekStart); got != at || err != nil {
		t.Fatal(got, err)
	}
	if _, err := o.Write([]byte("end")); err != nil {
		t.Fatal(err)
	}
	if got, err := o.Seek(0, io.SeekEnd); got != at+3 || err != nil {
		t.Errorf("size %d, %v", got, err)
	}
	for _, size := range []int64{-1, 4<<40 + 1} {
		if err := o.Truncate(size); err == nil || sqlState(err) != "" {
			t.Errorf("Truncate(%d): %v, want an error before sending", size, err)
		}
	}
	if _, err := o.Seek(0, 9); err == nil {
		t.Error("whence 9 passed")
	}
	mustExec(t, tx, "select 1")
}

func TestLargeObjectImportAndExport(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	data := strings.Repeat("0123456789", 250_000)
	for name, q := range map[string]ext.Querier{"DB": db, "Tx": begin(t, db)} {
		oid, size, err := ext.ImportLargeObject(t.Context(), q, iotest.HalfReader(strings.NewReader(data)))
		if err != nil || size != int64(len(data)) || oid == 0 {
			t.Fatal(name, oid, size, err)
		}
		var out strings.Builder
		if size, err = ext.ExportLargeObject(t.Context(), q, oid, &out); err != nil || size != int64(len(data)) || out.String() != data {
			t.Errorf("%s: %d, %v", name, size, err)
		}
	}
	broken := errors.New("the source broke")
	before := word(t, db, "select count(*) from pg_largeobject_metadata")
	if _, _, err := ext.ImportLargeObject(t.Context(), db, io.MultiReader(strings.NewReader(data), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("%v, want the reader's error", err)
	}
	if after := word(t, db, "select count(*) from pg_largeobject_metadata"); after != before {
		t.Errorf("%s objects, want %s", after, before)
	}
	var tx *sql.Tx
	within(t, func() { // the reader uses the same handle
		tx = begin(t, db)
		r := readerFunc(func(p []byte) (int, error) {
			mustExec(t, tx, "select 1")
			return 0, io.EOF
		})
		if _, _, err := ext.ImportLargeObject(t.Context(), tx, r); err != nil {
			t.Error(err)
		}
	})
}

// A transaction that goes on behind a failed import, and a connection without one, have no object left of it.
func TestLargeObjectImportLeavesNothing(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx, broken := begin(t, db), errors.New("broken")
	if _, _, err := ext.ImportLargeObject(t.Context(), tx, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("%v, want the reader's error", err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if _, _, err := ext.ImportLargeObject(t.Context(), one(t, db), strings.NewReader("x")); !errors.Is(err, ext.ErrNoTransaction) {
		t.Errorf("%v, want ErrNoTransaction", err)
	}
	if n := word(t, db, "select count(*) from pg_largeobject_metadata"); n != "0" {
		t.Errorf("%s objects, want none", n)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestLargeObjectNeedsATransaction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	oid, err := ext.CreateLargeObject(t.Context(), db, 4711)
	if oid != 4711 || err != nil {
		t.Fatal(oid, err)
	}
	if _, err := ext.CreateLargeObject(t.Context(), db, 4711); sqlState(err) != "23505" {
		t.Errorf("%v, want 23505", err)
	}
	if _, err := ext.OpenLargeObject(t.Context(), db, oid, ext.LargeObjectRead); !errors.Is(err, ext.ErrNoTransaction) {
		t.Errorf("pool: %v, want ErrNoTransaction", err)
	}
	conn := one(t, db)
	if _, err := ext.OpenLargeObject(t.Context(), conn, oid, 7); err == nil {
		t.Error("mode 7 passed")
	}
	o, err := ext.OpenLargeObject(t.Context(), conn, oid, ext.LargeObjectReadWrite)
	if err == nil {
		_, err = o.Read(make([]byte, 1))
	}
	if !errors.Is(err, ext.ErrNoTransaction) {
		t.Errorf("connection: %v, want ErrNoTransaction", err)
	}
	if err := o.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	tx := begin(t, db)
	o, err = ext.OpenLargeObject(t.Context(), tx, oid, ext.LargeObjectRead)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("select 1/0"); err == nil {
		t.Error("1/0 passed")
	}
	if err := o.Close(); err != nil {
		t.Errorf("Close in a failed transaction: %v", err)
	}
	tx.Rollback()
	if err := o.Close(); err != nil {
		t.Errorf("Close behind the transaction: %v", err)
	}
}

func TestLargeObjectCut(t *testing.T) {
	t.Parallel()
	db, fault := openBehindFault(t)
	data := strings.Repeat("x", 3<<20)
	oid, _, err := ext.ImportLargeObject(t.Context(), db, strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []sqltest.Rule{{Side: sqltest.Backend, Type: 'D', Nth: 3}, {Side: sqltest.Frontend, Type: 'B', Nth: 4}, {Side: sqltest.Backend, Type: 'C', Nth: 4}} {
		hit := fault.On(rule)
		n, err := ext.ExportLargeObject(t.Context(), db, oid, io.Discard)
		if err == nil || errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, io.EOF) || n >= int64(len(data)) {
			t.Errorf("%+v: %d, %v, want the loss of the connection", rule, n, err)
		}
		<-hit
		hit = fault.On(rule)
		if _, _, err := ext.ImportLargeObject(t.Context(), db, strings.NewReader(data)); err == nil {
			t.Errorf("%+v: imported", rule)
		}
		<-hit
	}
	if n := word(t, db, "select count(*) from pg_largeobject_metadata"); n != "1" {
		t.Errorf("%s objects, want 1", n)
	}
}

func TestLargeObjectUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mock.ExpectBegin()
	mock.ExpectQuery("select pg_catalog.lo_open($1, $2)").WithArgs(7, 0x40000).WillReturnRows(sqlmock.NewRows([]string{"lo_open"}).AddRow(0))
	mock.ExpectQuery("select pg_catalog.loread($1, $2)").WithArgs(0, 10).WillReturnRows(sqlmock.NewRows([]string{"loread"}).AddRow([]byte("abc")))
	tx := begin(t, db)
	o, err := ext.OpenLargeObject(t.Context(), tx, 7, ext.LargeObjectRead)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := o.Read(buf); string(buf[:n]) != "abc" || err != nil {
		t.Error(n, err)
	}
}
