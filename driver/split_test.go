package driver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func statements(sql string) (found []string) {
	for _, s := range driver.Statements(sql) {
		found = append(found, s)
	}
	return found
}

func TestStatementsAreSplitAtSemicolonsThatEndThem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"", nil},
		{" ;; -- nothing\n ; /* ; */", nil},
		{"select 1", []string{"select 1"}},
		{"-- one\nselect 1 /* a */ ; select ';' ; -- two;\n", []string{"select 1", "select ';'"}},
		{`select 'it''s;', "a;b", e'\';', $$;$$, $x$ $$; $x$; select 2`, []string{`select 'it''s;', "a;b", e'\';', $$;$$, $x$ $$; $x$`, "select 2"}},
		{"create rule r as on insert to t do (select 1; select 2); select 3", []string{"create rule r as on insert to t do (select 1; select 2)", "select 3"}},
		{
			"create function f(x int) returns int begin atomic select 1; select case x when 1 then 2 end; end; select 4",
			[]string{"create function f(x int) returns int begin atomic select 1; select case x when 1 then 2 end; end", "select 4"},
		},
		{"begin; select 1; end; select 2", []string{"begin", "select 1", "end", "select 2"}},
		{"select 'open; select 2", []string{"select 'open; select 2"}},
		{"select 1); select 2", []string{"select 1)", "select 2"}},
	} {
		if got := statements(c.sql); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.sql, got, c.want)
		}
	}
}

func TestLineCommentsAreThoseOutsideOfStrings(t *testing.T) {
	t.Parallel()
	sql := "-- UP\nselect '\n-- DOWN\n', $$\n-- DOWN\n$$; /* \n-- DOWN\n */ -- end\r\n--DOWN"
	var got []string
	for at, c := range driver.LineComments(sql) {
		if !strings.HasPrefix(sql[at:], c) {
			t.Errorf("%q is not at %d", c, at)
		}
		got = append(got, c)
	}
	if want := []string{"-- UP", "-- end", "--DOWN"}; !slices.Equal(got, want) {
		t.Errorf("comments: %q, want %q", got, want)
	}
}

func FuzzStatements(f *testing.F) {
	f.Add("select 1; select $$;$$ -- x\n; create function f() returns int begin atomic select 1; end")
	f.Add("/* -- */ 'a")
	f.Fuzz(func(t *testing.T, sql string) {
		last := 0
		for at, s := range driver.Statements(sql) {
			if at < last || sql[at:at+len(s)] != s || s == "" {
				t.Fatalf("%q: statement %q at %d behind %d", sql, s, at, last)
			}
			last = at + len(s)
		}
		for at, c := range driver.LineComments(sql) {
			if sql[at:at+len(c)] != c || !strings.HasPrefix(c, "--") {
				t.Fatalf("%q: comment %q at %d", sql, c, at)
			}
		}
	})
}
