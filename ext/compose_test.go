package ext_test

import (
	"context"
	"database/sql"
	"reflect"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/ext"
)

func TestComposedStatements(t *testing.T) {
	t.Parallel()
	name, err := ext.ParseName(`app."odd.name"`)
	if err != nil {
		t.Fatal(err)
	}
	where := ext.SQL("{:i} = {}", "id", 7)
	for _, tt := range []struct {
		f    ext.Fragment
		want string
		args []any
	}{
		{ext.Fragment{}, "", nil},
		{ext.SQL("select 1"), "select 1", nil},
		{ext.SQL("select {:i} from {} where {} and {}", "a\"b", ext.Ident("app", "users"), where, where), `select "a""b" from "app"."users" where "id" = $1 and "id" = $2`, []any{7, 7}},
		{ext.SQL("{1} {0} {1}", "a", "b"), "$1 $2 $3", []any{"b", "a", "b"}},
		{ext.SQL("{x} {y:i}", sql.Named("y", []string{"s", "t"}), sql.Named("x", nil)), `$1 "s"."t"`, []any{nil}},
		{ext.SQL("select '{{{:l}}}' || {{}}", 5), "select '{5}' || {}", nil},
		{ext.SQL("insert into {} values ({}, {:l}, {:l})", name, ext.Default{}, "it's", nil), `insert into "app"."odd.name" values (default, 'it''s', NULL)`, nil},
		{ext.SQL("select {:q} -{:l}", ext.SQL("{}", 1), -1), "select $1 - -1", []any{1}},
		{ext.Join(", ", ext.Ident("a"), ext.Literal(2), ext.Arg(3)), `"a", 2, $1`, []any{3}},
		{ext.Join(" and "), "", nil},
	} {
		text, args, err := tt.f.Build()
		if err != nil || text != tt.want || !reflect.DeepEqual(args, tt.args) {
			t.Errorf("got %s with %v, %v, want %s with %v", text, args, err, tt.want, tt.args)
		}
	}
	if got := ext.SQL("a = {} and {}", "x'y", where).String(); got != `a = 'x''y' and "id" = 7` {
		t.Errorf("String: %s", got)
	}
}

func TestMistakesInComposedStatementsAreTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		f    ext.Fragment
		want string
	}{
		{ext.SQL("a {} {}", 1), "byte 5: {}: there are 1 values"},
		{ext.SQL("a {}", 1, 2), "value 1 has no place"},
		{ext.SQL("a {7}", 1), "byte 2: {7}"},
		{ext.SQL("a {-1}", 1), "byte 2: {-1}"},
		{ext.SQL("a {x}", 1), "no value of this name"},
		{ext.SQL("a {:z}", 1), `no form "z"`},
		{ext.SQL("a {:i}", 1), "not int"},
		{ext.SQL("a {:i}", ""), "an empty name"},
		{ext.SQL("a {:i}", []string{}), "without a name"},
		{ext.SQL("a {:q}", "drop table"), "not string"},
		{ext.SQL("a {:l}", make(chan int)), "chan int"},
		{ext.SQL("a { b", 1), "byte 2: a brace"},
		{ext.SQL("a } b"), "byte 2: a brace"},
		{ext.SQL("a {}", ext.Ident("x\x00y")), "NUL"},
		{ext.Join(",", ext.Ident(strings.Repeat("x", 64))), "64 bytes"},
	} {
		if _, _, err := tt.f.Build(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error = %v, want %q in it", err, tt.want)
		}
		if got := tt.f.String(); !strings.Contains(got, tt.want) {
			t.Errorf("String: %s", got)
		}
	}
}

func TestComposedStatementsRun(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	role := "odd 'role\" \\"
	for _, f := range []ext.Fragment{
		ext.SQL("create table {:i} ({:i} text default {:l})", "odd {} table", `a\"'`, `C:\it's`),
		ext.SQL("comment on table {:i} is {:l}", "odd {} table", role),
		ext.SQL("insert into {:i} values ({}), (default)", "odd {} table", "x"),
	} {
		text, args, err := f.Build()
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, db, text, args...)
	}
	if got := word(t, db, `select string_agg(t::text, ' ') || obj_description('"odd {} table"'::regclass) from "odd {} table" t`); got != `(x) ("C:\\it's")`+role {
		t.Errorf("got %s", got)
	}
}

func TestMogrify(t *testing.T) {
	t.Parallel()
	got, err := ext.Mogrify("INSERT INTO mytable VALUES ($1, $2, $3);", 10, 20, 30)
	if want := "INSERT INTO mytable VALUES (10, 20, 30);"; got != want || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if got, err = ext.MogrifyFormat("select %s, '%%'", "it's"); got != "select 'it''s', '%'" || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := ext.Mogrify("select $1"); err == nil || !strings.HasPrefix(err.Error(), "ext: mogrify: ") {
		t.Error(err)
	}
	if got := ext.QuoteLiteral(`a'\`); got != ` E'a''\\'` {
		t.Error(got)
	}
}

// FuzzQuoteName has the server keep names: they come back byte for byte.
func FuzzQuoteName(f *testing.F) {
	db := openDB(f)
	conn := one(f, db)
	mustExec(f, conn, "begin")
	for _, seed := range []string{"users", `"`, `""`, "Ünï", "a.b", "select", "$1", "%s", "{}", `\`, "'", " ", "--", "\n", strings.Repeat("x", 63), "\U0001F418"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if ext.CheckName(name) != nil {
			t.Skip()
		}
		mustExec(t, conn, "savepoint s")
		defer mustExec(t, conn, "rollback to s")
		mustExec(t, conn, "create temp table "+ext.QuoteName(name)+" ("+ext.QuoteName(name)+" int)")
		const kept = `select relname from pg_catalog.pg_class where oid = $1::regclass
			union all select attname from pg_catalog.pg_attribute where attrelid = $1::regclass and attnum = 1`
		got, err := ext.Query[string](context.Background(), conn, kept, ext.QuoteName("pg_temp", name))
		if err != nil || !reflect.DeepEqual(got, []string{name, name}) {
			t.Errorf("%q came back as %q, %v", name, got, err)
		}
		parsed, err := ext.ParseName(ext.QuoteName("s", name))
		if err != nil || parsed != (ext.Name{Schema: "s", Name: name}) {
			t.Errorf("%q parses as %+v, %v", name, parsed, err)
		}
	})
}

// FuzzSQL checks that composing keeps text and arguments as they are.
func FuzzSQL(f *testing.F) {
	f.Add("select {}", "x")
	f.Add("{{{:i}}} {0:l} {", "y")
	f.Fuzz(func(t *testing.T, format, value string) {
		text, args, err := ext.SQL(format, value).Build()
		if err != nil {
			return
		}
		for i, arg := range args {
			if arg != value {
				t.Errorf("argument %d is %v", i, arg)
			}
		}
		if !strings.ContainsAny(format, "{}") && text != format {
			t.Errorf("%q became %q", format, text)
		}
	})
}
