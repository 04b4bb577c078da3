package sqltest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestDSNsAreRewritten(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, database, address, shown string }{
		{
			in:       "postgres://u:p%40ss@h:1/a?dbname=x&begin=eager",
			database: "postgres://u:p%40ss@h:1/new%20db?begin=eager",
			address:  "postgres://u:p%40ss@127.0.0.1:9/a?begin=eager&dbname=x",
			shown:    "postgres://u:xxxxx@h:1/a?dbname=x&begin=eager",
		},
		{
			in:       "postgres:///a?host=/run/x&port=5&password=p",
			database: "postgres:///new%20db?host=%2Frun%2Fx&password=p&port=5",
			address:  "postgres://127.0.0.1:9/a?password=p",
			shown:    "postgres:///a?host=%2Frun%2Fx&password=xxxxx&port=5",
		},
		{
			in:       `host=h password = 'a \' b' dbname=a`,
			database: `host=h password = 'a \' b' dbname=a dbname='new db'`,
			address:  `host=h password = 'a \' b' dbname=a host='127.0.0.1' port='9'`,
			shown:    `host=h password = xxxxx dbname=a`,
		},
	}
	for _, tt := range tests {
		if got := withDatabase(tt.in, "new db"); got != tt.database {
			t.Errorf("withDatabase(%s)\n got %s\nwant %s", tt.in, got, tt.database)
		}
		if got := withDatabase(tt.in, ""); got != tt.in {
			t.Errorf("withDatabase(%s, nothing) = %s", tt.in, got)
		}
		if got := withAddress(tt.in, "127.0.0.1", "9"); got != tt.address {
			t.Errorf("withAddress(%s)\n got %s\nwant %s", tt.in, got, tt.address)
		}
		if got := redacted(tt.in); got != tt.shown {
			t.Errorf("redacted(%s)\n got %s\nwant %s", tt.in, got, tt.shown)
		}
		config, err := pgconn.ParseConfig(withAddress(withDatabase(tt.in, "new db"), "127.0.0.1", "9"))
		if err != nil || config.Database != "new db" || config.Host != "127.0.0.1" || config.Port != 9 {
			t.Errorf("%s: %+v, %v", tt.in, config, err)
		}
	}
}

func TestSettingsAreQuoted(t *testing.T) {
	t.Parallel()
	got := settingsText(map[string]string{"b": `it's \`, "a": "two\nlines"})
	if want := "a = 'two\\nlines'\nb = 'it''s \\\\'\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTemplateNamesDependOnEveryByte(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i, v := range []struct {
		files   []sqlFile
		version string
	}{
		{nil, ""},
		{nil, "1"},
		{[]sqlFile{{"a", "b"}}, ""},
		{[]sqlFile{{"ab", ""}}, ""},
		{[]sqlFile{{"a", ""}, {"b", ""}}, ""},
		{[]sqlFile{{"a", "c"}}, ""},
		{[]sqlFile{{"a", "b"}}, "1"},
	} {
		name := templateName(v.files, v.version)
		if other, ok := seen[name]; ok {
			t.Errorf("contents %d and %d share a template", other, i)
		}
		if len(name) > 63 {
			t.Errorf("%s is too long", name)
		}
		seen[name] = i
	}
}

func TestNewestVersionOfAFolderComesFirst(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]int{
		"/usr/lib/postgresql/9/bin": 9, "/usr/pgsql-17/bin": 17, "/opt/homebrew/opt/postgresql@16/bin": 16, "/usr/bin": 0,
	} {
		if got := versionIn(dir); got != want {
			t.Errorf("%s: %d, want %d", dir, got, want)
		}
	}
}
