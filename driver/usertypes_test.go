package driver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

type wind int

func (w wind) String() string { return [...]string{"calm", "storm"}[w] }

func TestArgumentsForTheDatabasesOwnTypes(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		"create extension hstore", "create type wind as enum ('calm', 'storm')",
		"create domain count as int4", "create domain positive_count as count check (value > 0)", "create domain blob as bytea",
		"create domain doc as jsonb", "create domain words as text[]", "create domain lapse as interval", "create type pair as (a int4, b text)",
	} {
		mustExec(t, db, statement)
	}
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		typ  string
		arg  any
		want string // "" is a refusal
	}{
		{"positive_count", wind(1), "1"},
		{"positive_count", time.Microsecond, "1000"},
		{"positive_count", []byte{0, 0, 0, 7}, ""},
		{"positive_count", []byte("7"), "7"},
		{"positive_count[]", []wind{1}, "{1}"},
		{"blob", []byte{0, 0, 0, 7}, `\x00000007`},
		{"blob", []byte(`a\b`), `\x615c62`},
		{"blob[]", [][]byte{{0, 7}, nil}, `{"\\x0007",NULL}`},
		{"doc", struct{ A int }{1}, `{"A": 1}`},
		{"doc", at, `"2020-01-02T03:04:05Z"`},
		{"doc", []string{"a"}, `["a"]`},
		{"doc[]", []any{1, []string{"b"}}, `{1,"[\"b\"]"}`},
		{"words", []string{"a b"}, `{"a b"}`},
		{"lapse", time.Minute, "00:01:00"},
		{"wind", wind(1), "storm"},
		{"wind[]", []wind{0, 1}, "{calm,storm}"},
		{"wind", []byte("calm"), "calm"},
		{"wind", []byte{0, 1}, ""},
		{"hstore", []byte(`"a\\b"=>"c"`), `"a\\b"=>"c"`},
		{"hstore", map[string]string{"k": `"`}, `"k"=>"\""`},
		{"pair", "(1,x)", "(1,x)"},
	} {
		query := "select $1::" + tt.typ + "::text"
		for use := range 7 {
			var got string
			err := db.QueryRowContext(t.Context(), query, tt.arg).Scan(&got)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%#v as %s, use %d: %q, %v, want %q", tt.arg, tt.typ, use+1, got, err, tt.want)
			}
		}
	}
}

func TestOwnTypesAreFoundInsideATransaction(t *testing.T) {
	t.Parallel()
	for _, mode := range []driver.BeginMode{driver.BeginLazy, driver.BeginEager} {
		db := openConfig(t, func(cfg *driver.Config) { cfg.Begin = mode })
		mustExec(t, db, "create domain blob as bytea")
		tx := begin(t, one(t, db))
		mustExec(t, tx, "create domain doc as jsonb")
		for _, tt := range []struct {
			query string
			arg   any
			want  string
		}{
			{"select $1::blob::text", []byte{0}, `\x00`},
			{"select $1::doc::text", map[string]int{"a": 1}, `{"a": 1}`}, // made in this transaction
			{"select $1::doc::text || ''", netip.MustParseAddr("::1"), `"::1"`},
		} {
			if got := word(t, tx, tt.query, tt.arg); got != tt.want {
				t.Errorf("begin=%s: %s of %v = %s, want %s", mode, tt.query, tt.arg, got, tt.want)
			}
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}
