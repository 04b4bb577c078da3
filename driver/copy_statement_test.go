package driver

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseCopy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql  string
		want copyStatement
		ok   bool
	}{
		{"copy t from stdin", copyStatement{in: true, table: "t"}, true},
		{"COPY t TO STDOUT", copyStatement{table: "t"}, true},
		{"copy t from stdout", copyStatement{in: true, table: "t"}, true},
		{"copy t to stdin", copyStatement{table: "t"}, true},
		{`-- x` + "\n" + `copy /* y */ "S" . "T" ( "a ""b""", C,d) from stdin;`, copyStatement{in: true, table: `"S"."T"`, columns: []string{`a "b"`, "c", "d"}}, true},
		{"copy t () from stdin", copyStatement{in: true, table: "t", columns: []string{}}, true},
		{`copy t (U&"a") from stdin`, copyStatement{in: true, table: "t"}, true},
		{"copy t (a", copyStatement{}, false},
		{"copy (select 'from stdin', (1) from t) to stdout", copyStatement{}, true},
		{"copy binary t from stdin", copyStatement{in: true, table: "t", options: []string{"binary"}}, true},
		{
			"copy t from stdin with (format 'CSV', Header) where null is null",
			copyStatement{in: true, table: "t", options: []string{"with", "format", "csv", "header"}},
			true,
		},
		{"copy t from '/stdin'", copyStatement{}, false},
		{"copy stdin from '/file'", copyStatement{}, false},
		{"copy t from program 'stdin'", copyStatement{}, false},
		{"select 1", copyStatement{}, false},
		{"copy", copyStatement{}, false},
		{"", copyStatement{}, false},
	} {
		got, ok := parseCopy(tt.sql, true)
		if ok != tt.ok || ok && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("parseCopy(%q) = %+v, %v; want %+v, %v", tt.sql, got, ok, tt.want, tt.ok)
		}
	}
}

func TestCopyOptionsThatKeepValuesOut(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"copy t from stdin":                                    "",
		"copy t from stdin (format text, freeze)":              "",
		"copy t (header) from stdin where csv is not null":     "",
		"copy t from stdin csv":                                "csv",
		"copy t from stdin (header)":                           "header",
		"copy t from stdin delimiter as ',' null ''":           "delimiter",
		`copy t from stdin (format "csv")`:                     "csv",
		"copy t from stdin (encoding 'latin1', delimiter 'x')": "encoding",
	} {
		cs, _ := parseCopy(sql, true)
		if got, plain := cs.plainText(); got != want || plain != (want == "") {
			t.Errorf("%s: %q, %v; want %q", sql, got, plain, want)
		}
	}
}

func FuzzParseCopy(f *testing.F) {
	f.Add(`copy "a"."b" (c, "d") from stdin (format csv)`)
	f.Add("copy (select $$x$$) to stdout")
	f.Add(`copy t (""`)
	f.Fuzz(func(t *testing.T, sql string) {
		for _, standard := range []bool{false, true} {
			cs, ok := parseCopy(sql, standard)
			if ok && cs.in && cs.table == "" && cs.columns != nil {
				t.Errorf("columns without a table: %+v", cs)
			}
		}
	})
}

// unescapeCopy reads a line as the server does ("File Formats: Text Format" of COPY in the PostgreSQL manual).
func unescapeCopy(line string) (values []string) {
	for _, field := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
		var b strings.Builder
		for i := 0; i < len(field); i++ {
			c := field[i]
			if c == '\\' && i+1 < len(field) {
				i++
				if c = field[i]; strings.IndexByte("nrt", c) >= 0 {
					c = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t'}[c]
				}
			}
			b.WriteByte(c)
		}
		values = append(values, b.String())
	}
	return values
}

func FuzzCopyRow(f *testing.F) {
	f.Add("a\tb", `\N`)
	f.Add("\n\r\\", `\.`)
	f.Add("", "x")
	c := newCodecs(nil, "", "", nil)
	f.Fuzz(func(t *testing.T, a, b string) {
		row, err := c.appendCopyRow([]byte("kept"), []uint32{0, 0}, []any{a, b})
		if bad := checkText(a, "") != nil || checkText(b, "") != nil; bad != (err != nil) {
			t.Fatalf("%q, %q: %v", a, b, err)
		}
		line, kept := strings.CutPrefix(string(row), "kept")
		switch {
		case !kept:
			t.Fatalf("the buffer was changed: %q", row)
		case err != nil:
			if line != "" {
				t.Errorf("a refused row left %q", line)
			}
		case strings.Count(line, "\n") != 1 || strings.HasPrefix(line, `\.`) || line[len(line)-1] != '\n':
			t.Errorf("%q is not one line", line)
		default:
			if got := unescapeCopy(line); len(got) != 2 || got[0] != a || got[1] != b {
				t.Errorf("%q, %q came back as %q", a, b, got)
			}
		}
	})
}
