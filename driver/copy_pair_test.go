package driver_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func TestCheckCopyPair(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ to, from, want string }{ // behind TO STDOUT and FROM STDIN
		{"", "", ""},
		{"(format binary)", "(format binary)", ""},
		{"(format binary)", "with binary", ""},
		{"(format csv, header)", "csv header", ""},
		{"(format csv, header true)", "(header match, format 'csv')", ""},
		{"(format csv, header off, force_quote (binary))", "csv", ""},
		{"csv force quote a, binary null 'x'", "csv null 'x' force not null binary", ""},
		{"with csv delimiter as ';'", "(format \"csv\", delimiter ';')", ""},
		{"(delimiter E'\\t')", "", ""},
		{"(delimiter '\t')", "", ""},
		{"(null 'x')", "(null E'x')", ""},
		{"(format csv, encoding 'utf8')", "(format csv, freeze, force_null (header)) where format = 1", ""},
		{"", "(format binary)", "format text"},
		{"(format binary)", "", "format binary"},
		{"(format csv)", "", "format csv"},
		{"(format csv)", "binary", "format binary"},
		{"(format csv, header)", "(format csv)", "header true"},
		{"(format csv)", "(format csv, header match)", "header true"},
		{"(format csv, delimiter ';')", "(format csv)", "delimiter ';'"},
		{"(format csv, null 'x')", "(format csv)", "null 'x'"},
		{"(null '')", "", "null ''"},
		{"(delimiter '|')", "", "delimiter '|'"},
		{"(format csv, quote '|')", "(format csv)", "quote '|'"},
	} {
		err := driver.CheckCopyPair("copy (select 1 as csv) to stdout "+tt.to, "copy t (header) from stdin "+tt.from)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q into %q: %v, want %q", tt.to, tt.from, err, tt.want)
		}
	}
	if err := driver.CheckCopyPair("copy binary t to stdout", "copy t from stdin"); err == nil {
		t.Error("COPY BINARY into text passes")
	}
	for _, pair := range [][2]string{{"select 1", "copy t from stdin"}, {"copy t to stdout", "copy t to stdout"}, {"copy t from stdin", "copy t from stdin"}} {
		if err := driver.CheckCopyPair(pair[0], pair[1]); err == nil {
			t.Errorf("%q passes", pair)
		}
	}
}

func FuzzCheckCopyPair(f *testing.F) {
	f.Add("copy t to stdout (format csv, force_quote (a), header)")
	f.Add("copy (select 1) to stdout with csv delimiter as ',' force quote a, b null ''")
	f.Fuzz(func(t *testing.T, to string) {
		from := strings.NewReplacer("to stdout", "from stdin", "TO STDOUT", "FROM STDIN").Replace(to)
		err := driver.CheckCopyPair(to, from)
		if err != nil && strings.Contains(err.Error(), "the COPY TO has") && from == strings.Replace(to, "to stdout", "from stdin", 1) && strings.Count(to, "to stdout") == 1 {
			t.Errorf("%q does not fit itself: %v", to, err)
		}
	})
}
