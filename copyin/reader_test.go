package copyin_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
)

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

const pairTable = `create table pair (a int, b text, c text default 'none')`

func TestCSVFilesGoWhereTheirHeaderSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		options    copyin.CSVOptions
		want       string // of the rows
	}{
		{"header", "b,a\nx,1\n\"\",2\n,3\n", copyin.CSVOptions{}, "(1,x,none)(2,\"\",none)(3,,none)"},
		{"gzip", zipped("b,a\nx,1\n"), copyin.CSVOptions{}, "(1,x,none)"},
		{"byte order mark", "\ufeffb,a\nx,1\n", copyin.CSVOptions{}, "(1,x,none)"},
		{"Windows line ends", "b,a\r\nx,1\r\n\"y\r\n\",2\r\n", copyin.CSVOptions{}, "(1,x,none)(2,\"y\r\n\",none)"},
		{"no last line end", "a,b\n1,x", copyin.CSVOptions{}, "(1,x,none)"},
		{"no rows", "a,b\n", copyin.CSVOptions{}, ""},
		{"mapping", "Number;b\n1;x\n", copyin.CSVOptions{Mapping: map[string]string{"Number": "a"}, Delimiter: ';'}, "(1,x,none)"},
		{"names over two lines", "\"a\",\"Text\nof it\"\n1,x\n", copyin.CSVOptions{Mapping: map[string]string{"Text\nof it": "b"}}, "(1,x,none)"},
		{"match", "a,b,c\n1,x,y\n", copyin.CSVOptions{Header: copyin.HeaderMatch}, "(1,x,y)"},
		{"skip", "what,ever\n1,x\n", copyin.CSVOptions{Header: copyin.HeaderSkip, Columns: []string{"a", "b"}}, "(1,x,none)"},
		{"none", "1,x,y\n", copyin.CSVOptions{Header: copyin.HeaderNone}, "(1,x,y)"},
		{"quote, escape, null", "a|b\n1|'it\\'s'\n2|NIL\n3|'NIL'\n", copyin.CSVOptions{Delimiter: '|', Quote: '\'', Escape: '\\', Null: "NIL"}, "(1,it's,none)(2,,none)(3,NIL,none)"},
		{"force null", "a,b,c\n1,\"\",\n", copyin.CSVOptions{ForceNull: []string{"b"}, NotNull: []string{"c"}}, "(1,,\"\")"},
		{"encoding", "a,b\n1,\xe9\n", copyin.CSVOptions{Encoding: "latin1"}, "(1,é,none)"},
	}
	readers := map[string]func(string) io.Reader{
		"known":       func(s string) io.Reader { return strings.NewReader(s) },
		"user's":      func(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} },
		"by the byte": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
	}
	db := openDB(t)
	mustExec(t, db, pairTable)
	for _, tt := range tests {
		for kind, reader := range readers {
			mustExec(t, db, "truncate pair")
			n, err := copyin.CSV(t.Context(), db, "pair", reader(tt.file), tt.options)
			if err != nil || n != int64(strings.Count(tt.want, "(")) {
				t.Errorf("%s, reader %s: %d, %v", tt.name, kind, n, err)
			}
			if got := word(t, db, "select coalesce(string_agg(pair::text, '' order by a), '') from pair"); got != tt.want {
				t.Errorf("%s, reader %s: %q, want %q", tt.name, kind, got, tt.want)
			}
		}
	}
	name := filepath.Join(t.TempDir(), "pair.csv.gz")
	os.WriteFile(name, []byte(zipped("a,b\n7,x\n")), 0o600)
	if n, err := copyin.CSVFile(t.Context(), db, "pair", name, copyin.CSVOptions{}); n != 1 || err != nil {
		t.Errorf("CSVFile: %d, %v", n, err)
	}
	if _, err := copyin.CSVFile(t.Context(), db, "pair", name+"x", copyin.CSVOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestCSVThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, pairTable)
	tests := []struct {
		name, file string
		options    copyin.CSVOptions
		want       string
	}{
		{"unknown column", "a,z\n1,2\n", copyin.CSVOptions{}, `no column "z"`},
		{"twice", "a,a\n1,2\n", copyin.CSVOptions{}, `"a" is named twice`},
		{"empty", "", copyin.CSVOptions{}, "is empty"},
		{"no match", "b,a,c\n1,2,3\n", copyin.CSVOptions{Header: copyin.HeaderMatch}, "does not match"},
		{"not mapped", "a\n1\n", copyin.CSVOptions{Mapping: map[string]string{"z": "b"}}, `no "z"`},
		{"not wanted", "a,b\n1,2\n", copyin.CSVOptions{Columns: []string{"a"}}, `"b"`},
		{"wanted", "a\n1\n", copyin.CSVOptions{Columns: []string{"a", "b"}}, `"b"`},
		{"open quote", "a,\"b\n1,2\n", copyin.CSVOptions{}, "unterminated"},
		{"delimiter", "a", copyin.CSVOptions{Delimiter: '"'}, "delimiter and quote"},
		{"null", "a", copyin.CSVOptions{Null: ","}, "NULL"},
		{"header", "a\n1\n", copyin.CSVOptions{Header: 9}, "Header is 9"},
		{"half a gzip", zipped("a\n1\n")[:20], copyin.CSVOptions{}, `copyin: table "pair": gzip: unexpected EOF`},
	}
	for _, tt := range tests {
		n, err := copyin.CSV(t.Context(), db, "pair", strings.NewReader(tt.file), tt.options)
		if n != 0 || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d, %v, want %q", tt.name, n, err, tt.want)
		}
	}
	if _, err := copyin.CSVFile(t.Context(), db, "pair", t.TempDir(), copyin.CSVOptions{}); err == nil || !strings.HasPrefix(err.Error(), `copyin: table "pair": read `) {
		t.Errorf("a folder: %v", err)
	}
	for name, file := range map[string]string{"value": "a,b\n1,x\n2,\"y\ny\"\nz,3\n", "extra": "a,b\n1,2\n3,\"4\n\"\n3,4,5\n", "missing": "a,b\n1,2\n1,\"2\n\"\n3\n"} {
		_, err := copyin.CSV(t.Context(), db, "pair", strings.NewReader(file), copyin.CSVOptions{})
		var row *copyin.RowError
		if !errors.As(err, &row) || row.Row != 5 {
			t.Errorf("%s: %v, want a RowError of line 5", name, err)
			continue
		}
		if name == "value" && (row.Column != "a" || row.Value != "z") {
			t.Errorf("%s: %+v", name, row)
		}
	}
	if got := word(t, db, "select count(*) from pair"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

func TestReadersErrorComesBackUnchanged(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, pairTable)
	for _, size := range []int{0, 10, 200_000} {
		data := strings.Repeat("1,x,y\n", size/6)
		onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
			r := io.MultiReader(strings.NewReader(data), iotest.ErrReader(errSource))
			if n, err := copyin.CSV(t.Context(), q, "pair", r, copyin.CSVOptions{Header: copyin.HeaderNone}); n != 0 || err != errSource {
				t.Errorf("CSV of %d bytes: %d, %v", size, n, err)
			}
		})
		onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
			r := io.MultiReader(strings.NewReader(data), iotest.ErrReader(errSource))
			if n, err := copyin.From(t.Context(), q, "copy pair from stdin (format csv)", r); n != 0 || err != errSource {
				t.Errorf("From, %d bytes: %d, %v", size, n, err)
			}
		})
	}
	if got := word(t, db, "select count(*) from pair"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

func TestFromRunsAnyCopy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, pairTable)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		big := strings.Repeat("2\ty\n", 100_000)
		for _, r := range []io.Reader{strings.NewReader(big), iotest.HalfReader(strings.NewReader(big))} {
			if n, err := copyin.From(t.Context(), q, "copy pair (a, b) from stdin where a > 1", r); n != 100_000 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if got := word(t, q, "select count(*) from pair"); got != "200000" {
			t.Errorf("%s rows", got)
		}
		mustExec(t, q, "truncate pair")
	})
	_, err := copyin.From(t.Context(), db, "copy pair from stdin", strings.NewReader("1\tx\ty\nz\tx\ty\n"))
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 2 || row.Column != "a" || row.Value != "z" || sqlState(err) != "22P02" {
		t.Errorf("error = %#v", err)
	}
	if _, err := copyin.From(t.Context(), db, "select 1", strings.NewReader("")); err == nil {
		t.Error("a statement that is no COPY was accepted")
	}
}
