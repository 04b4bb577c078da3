package ext_test

import (
	"strings"
	"testing"

	"github.com/pycopg/pycopg/ext"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 31) + "x" // 63 bytes
	tests := []struct {
		in   string
		want ext.Name
	}{
		{"users", ext.Name{Name: "users"}},
		{"Users", ext.Name{Name: "Users"}},
		{"app.users", ext.Name{Schema: "app", Name: "users"}},
		{`app."odd.name"`, ext.Name{Schema: "app", Name: "odd.name"}},
		{`"a.b"."c""d"`, ext.Name{Schema: "a.b", Name: `c"d`}},
		{"user data", ext.Name{Name: "user data"}},
		{`""""`, ext.Name{Name: `"`}},
		{long + "." + long, ext.Name{Schema: long, Name: long}},
	}
	for _, tt := range tests {
		if got, err := ext.ParseName(tt.in); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v, want %+v", tt.in, got, err, tt.want)
		}
	}
	for in, want := range map[string]string{
		"": "empty", ".": "empty", "a.": "empty", ".a": "empty", `""`: "empty", "a..b": "empty",
		"a.b.c": "3 parts", `"a`: "open quote", `a."b`: "open quote", `a"b`: "quote in the middle", `"a"b`: "follows",
		"a\x00b": "NUL", long + "x": "64 bytes", "a.\xff": "UTF-8",
	} {
		if got, err := ext.ParseName(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want an error with %q", in, got, err, want)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"users", `app."odd.name"`, `"a""b".c`, "a.b.c", `"`, "", `"".x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ext.ParseName(text)
		if err != nil {
			return
		}
		again, err := ext.ParseName(n.String())
		if err != nil || again != n {
			t.Errorf("%q is %+v, which is written %s and read as %+v, %v", text, n, n, again, err)
		}
	})
}

func TestQuotedNamesReachTheServerAsTheyAre(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, name := range []string{"order", "MyTable", "user data", `quo"te`, "a.b", "ü", `\`, "'"} {
		if got := word(t, db, "select quote_ident($1)", name); got != ext.QuoteName(name) && `"`+got+`"` != ext.QuoteName(name) {
			t.Errorf("%s, the server quotes %s", ext.QuoteName(name), got)
		}
		mustExec(t, db, "create temp table "+ext.QuoteName(name)+" ()")
	}
}
