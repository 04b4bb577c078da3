package copyin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// small are options under which little data makes many batches.
var small = copyin.LoadOptions{Workers: 3, BatchRows: 700, BatchBytes: 9000}

const loadTable = "create table item (id int primary key, name text not null)"

// trickyCSV is n records whose names have line ends, quotes and delimiters.
func trickyCSV(n int) string {
	var b strings.Builder
	b.WriteString("id,name\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,%q\n", i, []string{"plain", "two\nlines", "a, b", "\n", "", `\.`, "x\r\ny"}[i%7])
	}
	return strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\\`, `\`).Replace(b.String())
}

// loaded is the count of item and the sum of its hashes.
func loaded(t testing.TB, db *sql.DB) string {
	t.Helper()
	return word(t, db, "select count(*) || ' ' || coalesce(sum(hashtext(i::text)::bigint), 0) from item i")
}

// csvFile writes a file, compressed where its name ends in .gz.
func csvFile(t testing.TB, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	data := []byte(text)
	if strings.HasSuffix(name, ".gz") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(data)
		z.Close()
		data = b.Bytes()
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoadStoresWhatOneCopyStores(t *testing.T) {
	t.Parallel()
	const n = 30_000
	text := trickyCSV(n)
	half := strings.Index(text, "\n15000,") + 1
	second := "name,id\n" + "x,100000\n"
	for name, src := range map[string]func(t *testing.T) copyin.Source{
		"file": func(t *testing.T) copyin.Source {
			return copyin.CSVFiles(copyin.CSVOptions{}, csvFile(t, "a.csv", text))
		},
		"gzip": func(t *testing.T) copyin.Source {
			return copyin.CSVFiles(copyin.CSVOptions{}, csvFile(t, "a.csv.gz", text))
		},
		"without a last line end": func(t *testing.T) copyin.Source {
			return copyin.CSVReader(strings.NewReader(strings.TrimSuffix(text, "\n")), copyin.CSVOptions{})
		},
		"two files": func(t *testing.T) copyin.Source {
			return copyin.CSVFiles(copyin.CSVOptions{}, csvFile(t, "a.csv", text[:half]), csvFile(t, "b.csv.gz", "id,name\n"+text[half:]))
		},
		"a user's reader": func(t *testing.T) copyin.Source {
			return copyin.CSVReader(struct{ *strings.Reader }{strings.NewReader(text)}, copyin.CSVOptions{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, loadTable)
			if _, err := copyin.CSV(t.Context(), db, "item", strings.NewReader(text), copyin.CSVOptions{}); err != nil {
				t.Fatal(err)
			}
			want := loaded(t, db)
			o := small
			o.Truncate = true
			r, err := copyin.Load(t.Context(), db, "item", src(t), o)
			if err != nil || r.Read != n || r.Stored != n || r.Batches < 30 || r.Rejected+r.Skipped+r.Resumed != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			if got := loaded(t, db); got != want {
				t.Errorf("count and hashes are %s, want %s", got, want)
			}
		})
	}
	t.Run("columns by header", func(t *testing.T) {
		t.Parallel()
		db := openDB(t)
		mustExec(t, db, loadTable)
		r, err := copyin.Load(t.Context(), db, "item", copyin.CSVFiles(copyin.CSVOptions{}, csvFile(t, "a", "id,name\n1,x\n"), csvFile(t, "b", second)), small)
		if err != nil || r.Stored != 2 {
			t.Fatal(r, err)
		}
		if got := word(t, db, "select string_agg(i::text, '' order by id) from item i"); got != "(1,x)(100000,x)" {
			t.Error(got)
		}
	})
}

func TestLoadOfLineEndsAndCharacters(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int, name text)")
	for name, tt := range map[string]struct {
		text    string
		options copyin.CSVOptions
		limit   int64
		want    string
	}{
		"\\r\\n":           {"id,name\r\n1,\"a\r\nb\"\r\n2,c\r\n", copyin.CSVOptions{}, 0, "1=a\r\nb,2=c"},
		"\\r":              {"id,name\r1,\"a\rb\"\r2,c\r", copyin.CSVOptions{}, 0, "1=a\rb,2=c"},
		"no header, \\r":   {"1,a\r2,c", copyin.CSVOptions{Header: copyin.HeaderNone}, 0, "1=a,2=c"},
		"one line":         {"1,a", copyin.CSVOptions{Header: copyin.HeaderNone}, 0, "1=a"},
		"one line, \\r":    {"1,a\r", copyin.CSVOptions{Header: copyin.HeaderNone}, 0, "1=a"},
		"nothing":          {"id,name\n", copyin.CSVOptions{}, 0, "NULL"},
		"no line":          {"", copyin.CSVOptions{Header: copyin.HeaderNone}, 0, "NULL"},
		"escape":           {"id;name\n1;'a\\'\nb'\n2;c\n", copyin.CSVOptions{Delimiter: ';', Quote: '\'', Escape: '\\'}, 0, "1=a'\nb,2=c"},
		"NULL":             {"id,name\n1,-\n2,\"-\"\n", copyin.CSVOptions{Null: "-"}, 0, "1=NULL,2=-"},
		"long header":      {"id,name\nint,\"te\nxt\"\n,\n1,a\n", copyin.CSVOptions{HeaderLines: 3}, 0, "1=a"},
		"skipped header":   {"x,y\n-,-\n1,a\n", copyin.CSVOptions{Header: copyin.HeaderSkip, HeaderLines: 2}, 0, "1=a"},
		"mapping":          {"nom,nr\na,1\n", copyin.CSVOptions{Mapping: map[string]string{"nom": "name", "nr": "id"}}, 0, "1=a"},
		"latin1":           {"id,name\n1,\xe9\n", copyin.CSVOptions{Encoding: "latin1"}, 0, "1=é"},
		"windows-1252":     {"id,name\n1,\x80\n", copyin.CSVOptions{Encoding: "WIN1252"}, 0, "1=€"},
		"byte order mark":  {"\ufeffid,name\n1,a\n", copyin.CSVOptions{}, 0, "1=a"},
		"limit":            {"id,name\n1,a\n2,b\n3,c\n4,d\n5,e\n", copyin.CSVOptions{}, 3, "1=a,2=b,3=c"},
		"limit at the end": {"id,name\n1,a\n2,b", copyin.CSVOptions{}, 2, "1=a,2=b"},
		"marker in quotes": {"id,name\n1,\"\n\\.\n\"\n2,b\n", copyin.CSVOptions{}, 0, "1=\n\\.\n,2=b"},
	} {
		for _, rows := range []int{1, 2, 1000} {
			r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(tt.text), tt.options), copyin.LoadOptions{BatchRows: rows, Limit: tt.limit, Truncate: true})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got := word(t, db, "select string_agg(id || '=' || coalesce(name, 'NULL'), ',' order by id) from item")
			if got != tt.want || r.Read != r.Stored {
				t.Errorf("%s, %d rows a batch: %q, want %q (%+v)", name, rows, got, tt.want, r)
			}
		}
	}
}

func itemMaps(n int) (maps []map[string]any) {
	for _, row := range pairs(n) {
		maps = append(maps, map[string]any{"id": row[0], "name": row[1]})
	}
	return maps
}

func TestLoadOfMapsWithOtherKeys(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key, name text default 'none', twice int generated always as (id * 2) stored)")
	mustExec(t, db, "alter table item alter name set not null")
	maps := itemMaps(30)
	delete(maps[10], "name")
	maps[20]["more"] = 1
	_, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(maps)), copyin.LoadOptions{BatchRows: 7})
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 11 || row.Column != "name" {
		t.Errorf("a missing key: %v", err)
	}
	o := copyin.LoadOptions{BatchRows: 7, OnBad: copyin.BadCollect, Truncate: true}
	r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(maps)), o)
	if err != nil || r.Stored != 28 || len(r.Rejects) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	for i, want := range []int64{11, 21} {
		id := fmt.Sprint(maps[want-1]["id"]) + "\t"
		if r.Rejects[i].Err.Row != want || !strings.HasPrefix(r.Rejects[i].Record, id) {
			t.Errorf("%+v, want row %d", r.Rejects[i], want)
		}
	}
	only := []map[string]any{{"id": 100}, {"id": 101}}
	if r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(only)), copyin.LoadOptions{}); err != nil || r.Stored != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if got := word(t, db, "select string_agg(name, ',') from item where id >= 100"); got != "none,none" {
		t.Errorf("names are %q", got)
	}
	if r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(each(only[:0])), copyin.LoadOptions{}); err != nil || r.Read != 0 {
		t.Errorf("no rows: %+v, %v", r, err)
	}
	source := func(yield func(map[string]any, error) bool) {
		_ = yield(map[string]any{"id": 200}, nil) && yield(nil, errSource)
	}
	if _, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(source), copyin.LoadOptions{}); err != errSource {
		t.Errorf("the source's error: %v", err)
	}
}

func TestLoadOfRows(t *testing.T) {
	t.Parallel()
	const n = 5000
	structs := each(itemStructs(n))
	for name, src := range map[string]copyin.Source{
		"structs":        copyin.Sequence(structs),
		"rows":           copyin.Sequence(each(pairs(n))),
		"rows, columns":  copyin.Sequence(each(pairs(n)), "id", "name"),
		"structs, named": copyin.Sequence(structs, "name", "id"),
		"maps":           copyin.Sequence(each(itemMaps(n))),
		"maps, named":    copyin.Sequence(each(itemMaps(n)), "name", "id"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, loadTable)
			if _, err := copyin.Rows(t.Context(), db, "item", pairs(n), copyin.Options{}); err != nil {
				t.Fatal(err)
			}
			want := loaded(t, db)
			for _, bad := range []copyin.BadRow{copyin.BadStop, copyin.BadSkip} {
				o := small
				o.Truncate, o.OnBad = true, bad
				r, err := copyin.Load(t.Context(), db, "item", src, o)
				if err != nil || r.Read != n || r.Stored != n {
					t.Fatalf("%+v, %v", r, err)
				}
				if got := loaded(t, db); got != want {
					t.Errorf("count and hashes are %s, want %s", got, want)
				}
			}
		})
	}
}

func TestLoadRunsTheSequenceBesideThePool(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, loadTable)
	db.SetMaxOpenConns(2)
	seen := 0
	rows := func(yield func([]any, error) bool) {
		for i, row := range pairs(5000) {
			if i%1000 == 0 {
				seen += len(word(t, db, "select 1"))
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(rows), small)
	if err != nil || r.Stored != 5000 || seen != 5 {
		t.Errorf("%+v, %v, %d uses", r, err, seen)
	}
}

func TestLoadReturnsTheSourcesError(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, loadTable)
	broken := errors.New("broken")
	for _, at := range []int{0, 1, 3000, 4999} {
		mustExec(t, db, "truncate item")
		rows := func(yield func([]any, error) bool) {
			for i, row := range pairs(5000) {
				if i == at {
					yield(nil, broken)
					return
				}
				if !yield(row, nil) {
					return
				}
			}
		}
		r, err := copyin.Load(t.Context(), db, "item", copyin.Sequence(rows), small)
		if err != broken || r.Stored != int64(at) || word(t, db, "select count(*) from item") != fmt.Sprint(r.Stored) {
			t.Errorf("at %d: %+v, %v", at, r, err)
		}
		mustExec(t, db, "truncate item")
		reader := &failingReader{data: csvText(5000)[:at*20], err: broken}
		r, err = copyin.Load(t.Context(), db, "item", copyin.CSVReader(reader, copyin.CSVOptions{}), small)
		if err != broken || word(t, db, "select count(*) from item") != fmt.Sprint(r.Stored) {
			t.Errorf("reader at %d: %+v, %v", at, r, err)
		}
	}
	func() {
		defer func() {
			if recover() != "in the source" {
				t.Error("the panic was swallowed")
			}
		}()
		copyin.Load(t.Context(), db, "item", copyin.Sequence(func(func([]any, error) bool) { panic("in the source") }), small)
	}()
}

// failingReader gives its data, then an error.
type failingReader struct {
	data string
	err  error
}

func (r *failingReader) Read(p []byte) (int, error) {
	n := copy(p, r.data)
	if r.data = r.data[n:]; n == 0 {
		return 0, r.err
	}
	return n, nil
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, loadTable)
	other := begin(t, db)
	mustExec(t, other, "insert into item values (3000, 'x')") // which a batch waits for
	pid := word(t, other, "select pg_backend_pid()")
	var r copyin.LoadResult
	var err error
	endWhen(t, one(t, db), "select count(*) from pg_stat_activity where $1::int = any (pg_blocking_pids(pid))", pid, func(ctx context.Context) {
		r, err = copyin.Load(ctx, db, "item", copyin.CSVReader(strings.NewReader(csvText(5000)), copyin.CSVOptions{}), small)
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errStopped) {
		t.Errorf("%+v, %v", r, err)
	}
	other.Rollback()
	if got := word(t, db, "select count(*) from item"); got != fmt.Sprint(r.Stored) {
		t.Errorf("%s rows, the result says %d", got, r.Stored)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := copyin.Load(ctx, db, "item", copyin.Sequence(each(pairs(10))), small); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before: %v", err)
	}
}

func TestLoadRefusesByName(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, loadTable+"; create table keyless (id int, name text)")
	csv := copyin.CSVReader(strings.NewReader(csvText(3)), copyin.CSVOptions{})
	for name, tt := range map[string]struct {
		table, word string
		src         copyin.Source
		o           copyin.LoadOptions
	}{
		"table":           {"nowhere", "nowhere", nil, copyin.LoadOptions{}},
		"name":            {"a.b.c", "a.b.c", nil, copyin.LoadOptions{}},
		"Workers":         {"item", "Workers", nil, copyin.LoadOptions{Workers: -1}},
		"OnBad":           {"item", "OnBad", nil, copyin.LoadOptions{OnBad: 7}},
		"OnConflict":      {"item", "OnConflict", nil, copyin.LoadOptions{OnConflict: -1}},
		"RejectFile":      {"item", "RejectFile", nil, copyin.LoadOptions{RejectFile: "x"}},
		"ConflictColumns": {"item", "ConflictColumns", nil, copyin.LoadOptions{ConflictColumns: []string{"id"}}},
		"UpdateColumns":   {"item", "UpdateColumns", nil, copyin.LoadOptions{UpdateColumns: []string{"id"}}},
		"no such update":  {"item", `"z"`, nil, copyin.LoadOptions{OnConflict: copyin.ConflictUpdate, UpdateColumns: []string{"z"}}},
		"Ledger":          {"item", "ImportID", nil, copyin.LoadOptions{Ledger: "x"}},
		"ledger's name":   {"item", "Ledger", nil, copyin.LoadOptions{Ledger: "x.y.z", ImportID: "1"}},
		"no key":          {"keyless", "ConflictColumns", nil, copyin.LoadOptions{OnConflict: copyin.ConflictUpdate}},
		"no index":        {"keyless", "42P10", nil, copyin.LoadOptions{OnConflict: copyin.ConflictUpdate, ConflictColumns: []string{"id"}}},
		"file":            {"item", "nofile", copyin.CSVFiles(copyin.CSVOptions{}, "/nofile"), copyin.LoadOptions{}},
		"header":          {"item", `"z"`, copyin.CSVReader(strings.NewReader("id,z\n"), copyin.CSVOptions{}), copyin.LoadOptions{}},
		"header lines":    {"item", "HeaderLines", copyin.CSVReader(strings.NewReader("id,z\n"), copyin.CSVOptions{Header: copyin.HeaderNone, HeaderLines: 2}), copyin.LoadOptions{}},
		"encoding":        {"item", "SJIS", copyin.CSVReader(strings.NewReader("id,name\n"), copyin.CSVOptions{Encoding: "SJIS", Quote: '|'}), copyin.LoadOptions{}},
		"type of rows":    {"item", "int", copyin.Sequence(each([]int{1})), copyin.LoadOptions{}},
		"nil reader":      {"item", "no source", copyin.CSVReader(nil, copyin.CSVOptions{}), copyin.LoadOptions{}},
		"setting":         {"item", "42704", nil, copyin.LoadOptions{Settings: map[string]string{"no_such": "x"}}},
	} {
		if tt.src == nil {
			tt.src = csv
			csv = copyin.CSVReader(strings.NewReader(csvText(3)), copyin.CSVOptions{})
		}
		_, err := copyin.Load(t.Context(), db, tt.table, tt.src, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.word) {
			t.Errorf("%s: %v, want a word on %s", name, err, tt.word)
		}
	}
	if _, err := copyin.Load(t.Context(), db, "item", nil, copyin.LoadOptions{}); err == nil || !strings.Contains(err.Error(), "no source") {
		t.Errorf("without a source: %v", err)
	}
	for name, err := range map[string]error{
		"From":            second(copyin.From(t.Context(), db, "copy item from stdin", nil)),
		"CSV":             second(copyin.CSV(t.Context(), db, "item", nil, copyin.CSVOptions{})),
		"Rows":            second(copyin.Rows(t.Context(), db, "item", iter.Seq2[[]any, error](nil), copyin.Options{})),
		"Rows of a query": second(copyin.Rows(t.Context(), db, "item", (*sql.Rows)(nil), copyin.Options{})),
		"StructsSeq":      second(copyin.StructsSeq[struct{ ID int }](t.Context(), db, "item", nil, copyin.Options{})),
		"Sequence":        second(copyin.Load(t.Context(), db, "item", copyin.Sequence[struct{ ID int }](nil), copyin.LoadOptions{})),
		"Sequence of any": second(copyin.Load(t.Context(), db, "item", copyin.Sequence[[]any](nil), copyin.LoadOptions{})),
	} {
		if err == nil || !strings.Contains(err.Error(), "no source") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := word(t, db, "select count(*) from item"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

func TestLoadRefusesAnEndlessRow(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, loadTable)
	var given atomic.Int64
	r := readerFunc(func(p []byte) (int, error) {
		n := copy(p, "id,name\n1,a\n2,\"")
		if given.Load() > 0 {
			for i := range p {
				p[i] = 'x'
			}
			n = len(p)
		}
		given.Add(int64(n))
		return n, nil
	})
	_, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(r, copyin.CSVOptions{}), small)
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 3 || given.Load() > 80<<20 {
		t.Errorf("%v after %d bytes", err, given.Load())
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestLoadSettings(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int, name text, at text default current_setting('my.mark', true))")
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(3)), copyin.CSVOptions{}),
		copyin.LoadOptions{Settings: map[string]string{"my.mark": "it's", "synchronous_commit": "off"}})
	if err != nil || r.Stored != 3 {
		t.Fatal(r, err)
	}
	if got := word(t, db, "select string_agg(distinct at, ',') from item"); got != "it's" {
		t.Error(got)
	}
}

func TestLoadOnAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	mock.ExpectExec(`copy "item" from stdin`).WillReturnResult(sqlmock.NewResult(0, 5))
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(5)), copyin.CSVOptions{}), copyin.LoadOptions{})
	if err != nil || r.Stored != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := mock.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

// openItem is a database with the table item.
func openItem(t testing.TB) *sql.DB {
	t.Helper()
	db := openDB(t)
	mustExec(t, db, loadTable)
	return db
}

func TestLoadReportsItsProgress(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	const n = 20_000
	text := csvText(n)
	file := csvFile(t, "a.csv.gz", text)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		src             copyin.Source
		bytes, rows, is int64
	}{
		"reader":   {copyin.CSVReader(strings.NewReader(text), copyin.CSVOptions{}), int64(len(text)), 0, int64(len(text))},
		"file":     {copyin.CSVFiles(copyin.CSVOptions{}, csvFile(t, "a.csv", text), csvFile(t, "b.csv", "id,name\n")), int64(len(text)) + 8, 0, int64(len(text)) + 8},
		"gzip":     {copyin.CSVFiles(copyin.CSVOptions{}, file), info.Size(), 0, info.Size()},
		"sequence": {copyin.Sequence(each(pairs(n))), 0, n, 0},
		"unknown":  {copyin.CSVReader(struct{ io.Reader }{strings.NewReader(text)}, copyin.CSVOptions{}), 0, 0, int64(len(text))},
	} {
		var calls []copyin.Progress
		o := copyin.LoadOptions{Workers: 2, BatchRows: 500, Truncate: true, ExpectedRows: tt.rows, ProgressEvery: time.Millisecond}
		o.Progress = func(p copyin.Progress) { calls = append(calls, p) }
		r, err := copyin.Load(t.Context(), db, "item", tt.src, o)
		if err != nil || len(calls) < 2 {
			t.Fatalf("%s: %d calls, %v", name, len(calls), err)
		}
		for i, p := range calls {
			last := i == len(calls)-1
			if p.TotalBytes != tt.bytes || p.TotalRows != tt.rows || p.Done != last || i > 0 && (p.Rows < calls[i-1].Rows || p.Bytes < calls[i-1].Bytes) {
				t.Errorf("%s: call %d: %+v", name, i, p)
			}
		}
		last := calls[len(calls)-1]
		if last.Rows != n || last.Batches != r.Batches || tt.is > 0 && last.Bytes != tt.is || last.RowsPerSecond <= 0 {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

func TestLoadLogs(t *testing.T) {
	t.Parallel()
	db := openItem(t)
	var out lockedBuffer
	o := copyin.LoadOptions{BatchRows: 2, OnBad: copyin.BadSkip, Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if _, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader("id,name\n1,a\nx,b\n2,c\n"), copyin.CSVOptions{}), o); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if strings.Count(text, "batch stored") != 2 || strings.Count(text, "row left out") != 1 || !strings.Contains(text, "row=3 column=id") || !strings.Contains(text, "level=WARN") {
		t.Error(text)
	}
}

// lockedBuffer may be written to by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestLoadUnderPsycopgsPlaceholders(t *testing.T) {
	t.Parallel()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Placeholder = driver.PlaceholderFormat
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()
	mustExec(t, db, loadTable)
	o := copyin.LoadOptions{BatchRows: 7, OnConflict: copyin.ConflictUpdate, ImportID: "100%", Settings: map[string]string{"my.mark": "%s"}}
	if r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(20)), copyin.CSVOptions{}), o); err != nil || r.Stored != 20 {
		t.Errorf("%+v, %v", r, err)
	}
	o.ImportID = ""
	if r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(20)), copyin.CSVOptions{}), o); err != nil || r.Stored != 20 {
		t.Errorf("%+v, %v", r, err)
	}
}

func second[T any](_ T, err error) error { return err }
