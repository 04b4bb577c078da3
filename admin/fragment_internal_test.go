package admin

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func TestFragmentsAreSplitAtTheirCommas(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][]string{
		"a":                     {"a"},
		" a , b ":               {"a", "b"},
		"numeric(10,2), text":   {"numeric(10,2)", "text"},
		"array[1,2], 'a,''b'":   {"array[1,2]", "'a,''b'"},
		`"odd, one", E'\',', c`: {`"odd, one"`, `E'\','`, "c"},
		"$$a,b;$$, $t$ , $t$":   {"$$a,b;$$", "$t$ , $t$"},
		"/* a, /* b */ ; */ c":  {"/* a, /* b */ ; */ c"},
		"a -- ; b,\n, c":        {"a -- ; b,", "c"},
		"a$b$, c$b$":            {"a$b$", "c$b$"},
		"$1, $2":                {"$1", "$2"},
	} {
		if got, err := split("text", sql); err != nil || !slices.Equal(got, want) {
			t.Errorf("split(%q) = %q, %v; want %q", sql, got, err, want)
		}
	}
}

// FuzzFragments holds that the server, too, sees an accepted fragment end where it ends: in parentheses in the middle of a statement.
func FuzzFragments(f *testing.F) {
	for _, sql := range []string{
		"1", "a);drop table y;--", "'", "E'\\'", "E'a'\n'\\'' ;select 1", "U&'\\0441' uescape '!'", "$a$;$a$", "a$a$;", "1$a$;$a$", "$a$;", "/*/*;*/*/1", "/*", "--", "-- \r;", "1--\n", "B'1'", "n'a'", "(", "[)", "e''''", "x'';", "$é$;$é$",
		"a-- b\n/*;*/", "'a'\n'b;'", "\"a\"\"b;\"", "1;", "'\\';'", "$1$;$1$", "é$$;$$", "E'\\\\';", "e'a''\\'b;'",
	} {
		f.Add(sql)
	}
	db := sqltest.DB(f, sqltest.Options{})
	f.Fuzz(func(t *testing.T, sql string) {
		if expression("sql", sql) != nil || strings.ContainsAny(sql, "\\") && !strings.ContainsAny(sql, "eE") {
			return
		}
		// The marker is told in the middle of the statement, so that the error is the same whatever stands in the fragment's place.
		_, err := driver.Do(context.Background(), db, "describe", func(ctx context.Context, c *driver.Conn) (int64, error) {
			_, err := c.Describe(ctx, "select case when false then (select null::text where ("+sql+"\n) is null) end as x, 1 as y")
			return 0, err
		})
		if err != nil && strings.Contains(err.Error(), "multiple commands") {
			t.Errorf("%q left its place: %v", sql, err)
		}
		// Lexed by the server, the fragment leaves the closing parenthesis and what follows to the statement.
		_, err = driver.Do(context.Background(), db, "describe", func(ctx context.Context, c *driver.Conn) (int64, error) {
			_, err := c.Describe(ctx, "select ("+sql+"\n); select 1")
			return 0, err
		})
		if err == nil {
			t.Errorf("%q swallowed the end of the statement", sql)
		}
	})
}
