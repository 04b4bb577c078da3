package ext

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
)

func TestInsertTexts(t *testing.T) {
	t.Parallel()
	columns := []*tableColumn{{name: "id", cast: "pg_catalog.int4"}, {name: "n n", cast: `app."Mood"`}}
	key, other := []string{"id"}, []string{"n n"}
	s := insertSQL{table: Name{Schema: "app", Name: "t"}}
	tests := []struct {
		name string
		got  string
		want string
	}{
		{"arrays", s.arrays(columns), `insert into "app"."t" ("id", "n n") select c1, c2 from unnest($1::pg_catalog.int4[], $2::app."Mood"[]) as r (c1, c2)`},
		{"row", s.row(columns, []bool{false, true}), `insert into "app"."t" ("id", "n n") values (default, $1)`},
		{"defaults", s.row(nil, nil), `insert into "app"."t" default values`},
		{
			"overriding and returning",
			insertSQL{table: s.table, overriding: true, returning: other}.row(columns[:1], []bool{true}),
			`insert into "app"."t" ("id") overriding system value values ($1) returning "n n"`,
		},
		{
			"counted",
			insertSQL{table: s.table, counted: true, bySystem: true, conflict: OnConflict{Columns: key, Update: other, Where: "t.x > 1"}}.row(columns, []bool{true, true}),
			`with changed as (insert into "app"."t" ("id", "n n") values ($1, $2) on conflict ("id") do update set "n n" = excluded."n n" where t.x > 1 ` +
				`returning xmax = 0 as inserted) select count(*) filter (where inserted), count(*) from changed`,
		},
		{
			"last of a key",
			insertSQL{table: s.table, keepLast: true, conflict: OnConflict{Columns: key, Update: other}}.arrays(columns),
			`insert into "app"."t" ("id", "n n") select c1, c2 from (select distinct on (c1, case when c1 is null then n end) * ` +
				`from unnest($1::pg_catalog.int4[], $2::app."Mood"[]) with ordinality as r (c1, c2, n) order by c1, case when c1 is null then n end, n desc) as r ` +
				`order by n on conflict ("id") do update set "n n" = excluded."n n"`,
		},
		{"nothing", OnConflict{Nothing: true}.sql(), " on conflict do nothing"},
		{"constraint", OnConflict{Constraint: "c", Update: key}.sql(), ` on conflict on constraint "c" do update set "id" = excluded."id"`},
		{"raw", OnConflict{Raw: "do nothing"}.sql(), " on conflict do nothing"},
		{"none", OnConflict{}.sql(), ""},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

// FuzzAppendQuoted reads the elements back as pgtype reads the server's.
func FuzzAppendQuoted(f *testing.F) {
	for _, seed := range []string{"", "NULL", `"`, `\`, "{,}", "a b", "ü\n", "\x00", "\xff", `\"\\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := appendQuoted([]byte("{x,"), s)
		if err != nil {
			if !strings.ContainsRune(s, 0) && strings.ToValidUTF8(s, "") == s {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		var back []string
		if err := pgtype.NewMap().Scan(pgtype.TextArrayOID, pgtype.TextFormatCode, append(text, '}'), &back); err != nil || len(back) != 2 || back[1] != s {
			t.Errorf("%q is written %s and read as %q, %v", s, text, back, err)
		}
	})
}

// FuzzArrayValue feeds what a server might send.
func FuzzArrayValue(f *testing.F) {
	for _, seed := range []string{"{}", "{1,NULL}", "{{1,2},{3,4}}", "[2:3]={1,2}", `{"a","b\"c"}`, "{", "{{1},{2,3}}", "{,}"} {
		f.Add("INT4", seed)
		f.Add("TEXT", seed)
		f.Add("JSONB", seed)
		f.Add("TIMESTAMPTZ", seed)
	}
	f.Fuzz(func(t *testing.T, elem, text string) {
		v, err := arrayValue(pgtype.NewMap(), elem, text)
		if _, ok := v.([]any); !ok && err == nil {
			t.Errorf("%s %q is %#v without an error", elem, text, v)
		}
	})
}

func TestTransactionsAreNotOutsideThem(t *testing.T) {
	t.Parallel()
	outside := reflect.TypeFor[OutsideTx]()
	if reflect.TypeFor[*sql.Tx]().Implements(outside) {
		t.Error("a *sql.Tx can be passed as OutsideTx")
	}
}
