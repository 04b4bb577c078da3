package copyin_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// marks reports whether the server takes a line \. of CSV for the end of the data.
func marks(t testing.TB, db *sql.DB) bool {
	return word(t, db, "select current_setting('server_version_num')::int < 180000") == "true"
}

// csvCopies are the ways to copy CSV into the table line.
var csvCopies = map[string]func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error{
	"CSV": func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error {
		_, err := copyin.CSV(t.Context(), db, "line", strings.NewReader(text), o)
		return err
	},
	"CSV of a user's reader": func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error {
		_, err := copyin.CSV(t.Context(), db, "line", struct{ io.Reader }{strings.NewReader(text)}, o)
		return err
	},
	"CSV by the byte": func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error {
		_, err := copyin.CSV(t.Context(), db, "line", iotest.OneByteReader(strings.NewReader(text)), o)
		return err
	},
	"CSV in a transaction": func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error {
		tx := begin(t, db)
		defer tx.Rollback()
		if _, err := copyin.CSV(t.Context(), tx, "line", strings.NewReader(text), o); err != nil {
			return err
		}
		return tx.Commit()
	},
	"CSVFile of gzip": func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error {
		_, err := copyin.CSVFile(t.Context(), db, "line", csvFile(t, "a.csv.gz", text), o)
		return err
	},
	"Load": func(t *testing.T, db *sql.DB, text string, o copyin.CSVOptions) error {
		_, err := copyin.Load(t.Context(), db, "line", copyin.CSVReader(strings.NewReader(text), o), copyin.LoadOptions{})
		return err
	},
}

func TestCSVLosesNothingBehindAMarker(t *testing.T) {
	t.Parallel()
	const lines = 20_000
	long := strings.Repeat("0123456789\n", lines) // several buffers, but no block of Load
	quotes := copyin.CSVOptions{Quote: '\'', Escape: '\\'}
	noHeader := copyin.CSVOptions{Header: copyin.HeaderNone, Columns: []string{"a"}}
	db := openDB(t)
	mustExec(t, db, "create table line (n serial, a text)")
	marked := marks(t, db)
	for name, tt := range map[string]struct {
		text    string
		options copyin.CSVOptions
		line    int64 // of the marker that is refused, 0 for none
		rows    int   // that are stored
		later   int   // that PostgreSQL 18 and later store
	}{
		"ahead of rows":             {"a\n1\n\\.\n2\n", copyin.CSVOptions{}, 3, 0, 3},
		"ahead of rows, \\r\\n":     {"a\r\n1\r\n\\.\r\n2\r\n", copyin.CSVOptions{}, 3, 0, 3},
		"ahead of rows, \\r":        {"a\r1\r\\.\r2\r", copyin.CSVOptions{}, 3, 0, 3},
		"ahead of an empty row":     {"a\n1\n\\.\n\n", copyin.CSVOptions{}, 3, 0, 3},
		"ahead of another":          {"a\n1\n\\.\n\\.\n", copyin.CSVOptions{}, 3, 0, 3},
		"first":                     {"a\n\\.\n2\n", copyin.CSVOptions{}, 2, 0, 2},
		"first, no header":          {"\\.\n2\n", noHeader, 1, 0, 2},
		"behind long data":          {"a\n" + long + "\\.\n2\n", copyin.CSVOptions{}, lines + 2, 0, lines + 2},
		"ahead of long data":        {"a\n\\.\n" + long, copyin.CSVOptions{}, 2, 0, lines + 1},
		"no header, long data, \\r": {strings.ReplaceAll(long, "\n", "\r") + "\\.\r2\r", noHeader, lines + 1, 0, lines + 2},
		"behind quotes":             {"a\n\"x\n\"\"\n\"\n\\.\n2\n", copyin.CSVOptions{}, 5, 0, 3},
		"behind another escape":     {"a\n'x\\'\n'\n\\.\n2\n", quotes, 4, 0, 3},
		"last":                      {"a\n1\n\\.\n", copyin.CSVOptions{}, 0, 1, 2},
		"last, \\r\\n":              {"a\r\n1\r\n\\.\r\n", copyin.CSVOptions{}, 0, 1, 2},
		"last, without a line end":  {"a\n1\n\\.", copyin.CSVOptions{}, 0, 2, 2},
		"last, behind long data":    {"a\n" + long + "\\.\n", copyin.CSVOptions{}, 0, lines, lines + 1},
		"in quotes":                 {"a\n\"\n\\.\n\"\n2\n", copyin.CSVOptions{}, 0, 2, 2},
		"in other quotes":           {"a\n'\\'\n\\.\n'\n2\n", quotes, 0, 2, 2},
		"of a value in quotes":      {"a\n\"\\.\"\n2\n", copyin.CSVOptions{}, 0, 2, 2},
		"part of a value":           {"a\nx\\.\n\\.x\n2\n", copyin.CSVOptions{}, 0, 3, 3},
		"latin1":                    {"a\n\xe9\n\\.\n2\n", copyin.CSVOptions{Encoding: "latin1"}, 3, 0, 3},
		"Shift JIS":                 {"a\n\x83\x5c\n\\.\n2\n", copyin.CSVOptions{Encoding: "SJIS"}, 3, 0, 3},
	} {
		if !marked {
			tt.line, tt.rows = 0, tt.later
		}
		for kind, copyCSV := range csvCopies {
			mustExec(t, db, "truncate line")
			err := copyCSV(t, db, tt.text, tt.options)
			var row *copyin.RowError
			switch {
			case tt.line == 0 && err != nil:
				t.Errorf("%s, %s: %v", name, kind, err)
			case tt.line > 0 && (!errors.As(err, &row) || row.Row != tt.line || !strings.Contains(err.Error(), `behind this line \.`)):
				t.Errorf("%s, %s: %v, want a RowError of line %d", name, kind, err, tt.line)
			}
			if got := word(t, db, "select count(*) from line"); got != fmt.Sprint(tt.rows) {
				t.Errorf("%s, %s: %s rows, want %d", name, kind, got, tt.rows)
			}
		}
	}
}

func TestCSVStoresWhatItsReaderReads(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table line (n serial, a text)")
	marked := marks(t, db)
	random := rand.New(rand.NewPCG(3, 5))
	parts := []string{`\.`, "\n", "\n", "\n\\.\n", `"`, `""`, "x", `\`, "."}
	for range 200 {
		text := "a\n"
		for range 1 + random.IntN(9) {
			text += parts[random.IntN(len(parts))]
		}
		mustExec(t, db, "truncate line")
		if _, err := copyin.CSV(t.Context(), db, "line", iotest.HalfReader(strings.NewReader(text)), copyin.CSVOptions{}); err != nil {
			continue // an open quote, or data behind the marker
		}
		want := csvRecords(t, text)
		if rest, ok := strings.CutSuffix(text, "\n\\.\n"); marked && ok && len(want) > 0 && want[len(want)-1] == `\.` {
			want = csvRecords(t, rest+"\n")
		}
		got := word(t, db, "select coalesce(string_agg(coalesce(a, ''), '|' order by n), '') from line")
		if got != strings.Join(want, "|") {
			t.Errorf("%q: %q are stored, want %q", text, got, want)
		}
	}
}

// csvRecords are the records of CSV of one column, without its header. No marker ends them.
func csvRecords(t *testing.T, text string) (records []string) {
	csv, err := copyformat.CSV{}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	ends := csv.AppendEnds(nil, []byte(text), copyformat.Outside, '\n')
	if from := ends[len(ends)-1]; from < len(text) {
		ends = append(ends, len(text))
	}
	from := 0
	for i, end := range ends {
		if i > 0 {
			fields, err := copyformat.NewCSVReader(bytes.NewReader([]byte("-,"+text[from:end])), csv).Next()
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, string(bytes.Join(fields[1:], []byte(","))))
		}
		from = end
	}
	return records
}

func TestLoadWithABackslashForQuotes(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table line (a text)")
	_, err := copyin.Load(t.Context(), db, "line", copyin.CSVReader(strings.NewReader("a\nx\n"), copyin.CSVOptions{Quote: '\\'}), copyin.LoadOptions{})
	if marks(t, db) != (err != nil && strings.Contains(err.Error(), `the quote \`)) {
		t.Errorf("error: %v", err)
	}
}
