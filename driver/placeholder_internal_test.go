package driver

import (
	"reflect"
	"strings"
	"testing"
)

func TestFormatPlaceholders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql, want string
		count     int
		names     []string
	}{
		{sql: "select 1", want: "select 1"},
		{sql: "select %s, %b, %t", want: "select $1, $2, $3", count: 3},
		{sql: "select %(a)s + %(b)s + %(a)s", want: "select $1 + $2 + $1", names: []string{"a", "b"}},
		{sql: "select %s %% 2", want: "select $1 % 2", count: 1},
		{sql: "select '100%%' || %s", want: "select '100%' || $1", count: 1},
		{sql: "select %(odd name)s", want: "select $1", names: []string{"odd name"}},
	} {
		got, err := formatPlaceholders(tt.sql)
		if err != nil || got.sql != tt.want || got.count != tt.count || !reflect.DeepEqual(got.names, tt.names) {
			t.Errorf("%q: got %+v, %v", tt.sql, got, err)
		}
	}
}

func TestFormatPlaceholdersNameTheOffset(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"select %":             "byte 7",
		"select % 2":           "byte 7",
		"select 1, %d":         `byte 10: only %s, %b and %t are placeholders, got "%d"`,
		"select %(a":           "byte 7: the name has no closing",
		"select %(a)d":         "byte 7",
		"select %()s":          "byte 7: the name is empty",
		"select 5 %\n2":        "byte 9",
		"select %(a)":          "byte 7",
		"select %(a)%":         "byte 7",
		"select 'é', %é":       `byte 13: only %s, %b and %t are placeholders, got "%é"`,
		"select %%s, %":        "byte 12",
		"select %s, %(a)s":     "byte 11: positional and named",
		"select %(a)s, 1, %s ": "byte 17: positional and named",
	} {
		if _, err := formatPlaceholders(sql); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error = %v, want %q in it", sql, err, want)
		}
	}
}

func TestFormatPlaceholdersBind(t *testing.T) {
	t.Parallel()
	named := formatted{names: []string{"a", "b"}}
	for _, tt := range []struct {
		f     formatted
		args  []any
		names []string
		want  []any
		err   string
	}{
		{f: formatted{count: 1}, args: []any{1}, names: []string{""}, want: []any{1}},
		{f: formatted{count: 2}, args: []any{1}, names: []string{""}, err: "2 placeholders, but 1 arguments"},
		{f: named, args: []any{2, 1, 3}, names: []string{"b", "a", "c"}, want: []any{1, 2}},
		{f: named, args: []any{map[string]any{"a": 1, "b": nil, "c": 3}}, names: []string{""}, want: []any{1, nil}},
		{f: named, args: []any{1}, names: []string{"b"}, err: "placeholders a"},
		{f: formatted{count: 1}, args: []any{1}, names: []string{"a"}, err: "positional placeholders"},
		{f: formatted{count: 1}, args: []any{map[string]any{"a": 1}}, names: []string{""}, want: []any{map[string]any{"a": 1}}},
		{f: formatted{}, args: []any{1}, names: []string{"a"}},
		{f: formatted{}, args: []any{map[string]any{"a": 1}}, names: []string{""}},
		{f: formatted{}, args: []any{1}, names: []string{""}, err: "0 placeholders, but 1 arguments"},
		{f: named, args: []any{1, 2}, names: []string{"a", ""}, err: "named placeholders"},
	} {
		got, err := tt.f.bind(tt.args, tt.names)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("bind(%v): error = %v, want %q in it", tt.args, err, tt.err)
			}
			continue
		}
		if err != nil || len(got)+len(tt.want) > 0 && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("bind(%v) = %v, %v, want %v", tt.args, got, err, tt.want)
		}
	}
}

func FuzzFormatPlaceholders(f *testing.F) {
	for _, seed := range []string{"%s", "%(a)s%%", "%", "%(", "a%%b%t", "'%s'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		got, err := formatPlaceholders(sql)
		if err != nil {
			return
		}
		if strings.IndexByte(sql, '%') < 0 && got.sql != sql {
			t.Errorf("a statement without placeholders became %q", got.sql)
		}
		if got.count > 0 && len(got.names) > 0 {
			t.Error("mixed placeholders passed")
		}
		if countPlaceholders(got.sql, true) > max(got.count, len(got.names), countPlaceholders(sql, true)) {
			t.Errorf("%q has more placeholders than %+v", got.sql, got)
		}
	})
}
