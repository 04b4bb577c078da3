package migrate_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/migrate"
)

func TestFilesAreReadInBothForms(t *testing.T) {
	t.Parallel()
	got, err := migrate.Load(files(
		"README.md", "not a migration",
		"old/001_x.sql", "not at the root",
		"10_last.sql", "select 10",
		"002_pair.up.sql", "select 2;", "002_pair.down.sql", "select -2;",
		"001_one.sql", "-- Migration: one\n-- Created: today\n\n  -- up \nselect '\n-- DOWN\n';\n--Down\r\n  select -1;\n",
		"3_online.sql", "-- NO TRANSACTION\n-- UP\nselect 3;\n-- DOWN\n-- none\n",
		"4_half.sql", "select 4;\n-- DOWN\n-- NO  transaction\nselect -4;",
		"5_reverse.sql", "\ufeff-- DOWN\nselect -5;\n-- UP\nselect 5;",
		"6_name.up.date.sql", "select 6 -- UP",
	))
	if err != nil {
		t.Fatal(err)
	}
	type section = migrate.Section
	for i, want := range []migrate.Migration{
		{
			Version: 1, Name: "one",
			Up:   section{File: "001_one.sql", Line: 5, SQL: "select '\n-- DOWN\n';"},
			Down: section{File: "001_one.sql", Line: 9, SQL: "select -1;"},
		},
		{Version: 2, Name: "pair", Up: section{File: "002_pair.up.sql", Line: 1, SQL: "select 2;"}, Down: section{File: "002_pair.down.sql", Line: 1, SQL: "select -2;"}},
		{Version: 3, Name: "online", Up: section{File: "3_online.sql", Line: 3, SQL: "select 3;", NoTransaction: true}},
		{
			Version: 4, Name: "half",
			Up:   section{File: "4_half.sql", Line: 1, SQL: "select 4;"},
			Down: section{File: "4_half.sql", Line: 3, SQL: "-- NO  transaction\nselect -4;", NoTransaction: true},
		},
		{Version: 5, Name: "reverse", Up: section{File: "5_reverse.sql", Line: 4, SQL: "select 5;"}, Down: section{File: "5_reverse.sql", Line: 2, SQL: "select -5;"}},
		{Version: 6, Name: "name.up.date", Up: section{File: "6_name.up.date.sql", Line: 1, SQL: "select 6 -- UP"}},
		{Version: 10, Name: "last", Up: section{File: "10_last.sql", Line: 1, SQL: "select 10"}},
	} {
		if i >= len(got) || got[i] != want {
			t.Errorf("migration %d:\n got %+v\nwant %+v", i, got[min(i, len(got)-1)], want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d migrations, want 7", len(got))
	}
}

func TestFilesThatWouldGoWrongAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  string
		texts []string
	}{
		{"users.sql: a migration's file is named", []string{"users.sql", "select 1"}},
		{"001_.sql: a migration's file is named", []string{"001_.sql", "select 1"}},
		{"the number 99999999999999999999 is too large", []string{"99999999999999999999_x.sql", "select 1"}},
		{"2_b.sql: version 2 is also 002_a.sql", []string{"002_a.sql", "select 1", "2_b.sql", "select 2"}},
		{"1_a.up.sql: 1_a.sql has that direction", []string{"1_a.sql", "select 1", "1_a.up.sql", "select 2"}},
		{"1_a.down.sql: there is no 1_a.up.sql", []string{"1_a.down.sql", "select 1"}},
		{"line 3: a second -- UP", []string{"1_a.sql", "-- UP\nselect 1;\n-- UP\nselect 2;"}},
		{"line 4: a second -- DOWN", []string{"1_a.sql", "-- DOWN\nselect 1;\n-- UP\n-- DOWN\nselect 2;"}},
		{"line 2: statements ahead of -- UP", []string{"1_a.sql", "select 1;\n-- UP\nselect 2;"}},
		{"line 1: a file of one direction has no -- DOWN", []string{"1_a.up.sql", "-- DOWN\nselect 1"}},
		{"line 3: commit: a migration is one transaction", []string{"1_a.sql", "-- UP\nselect 1;\ncommit;"}},
		{"line 2: start transaction", []string{"1_a.sql", "-- NO TRANSACTION\nstart transaction;"}},
		{"line 1: rollback", []string{"1_a.sql", "rollback;"}},
		{"line 1: ROLLBACK", []string{"1_a.sql", "ROLLBACK/**/;"}},
		{"1_a.sql: there is no up section", []string{"1_a.sql", "-- later\n-- DOWN\nselect 1"}},
		{"line 1: prepare transaction 'x'", []string{"1_a.sql", "prepare transaction 'x'"}},
		{"not text in UTF-8", []string{"1_a.sql", "select '\xff'"}},
		{"not text in UTF-8", []string{"1_a.sql", "select '\x00'"}},
		{`pass fs.Sub(files, "migrations")`, []string{"migrations/1_a.sql", "select 1"}},
	} {
		_, err := migrate.Load(files(c.texts...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.texts, err, c.want)
		}
	}
	for _, fine := range []string{"rollback to savepoint a", "savepoint a; rollback to a; release a", "create function f() returns int begin atomic select 1; end", "do $$ begin null; end $$", "prepare x as select 1", "(select 1)", "1"} {
		if _, err := migrate.Load(files("1_a.sql", fine)); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
	if none, err := migrate.Load(files("README.md", "")); err != nil || len(none) != 0 {
		t.Errorf("no files: %v, %v", none, err)
	}
}

func TestTheChecksumIsThatOfTheStatements(t *testing.T) {
	t.Parallel()
	sum := func(text string) string {
		m, err := migrate.Load(files("1_a.sql", text))
		if err != nil {
			t.Fatal(err)
		}
		return m[0].Checksum()
	}
	a := sum("-- UP\nselect 1;\nselect 2;\n-- DOWN\nselect 3;")
	if b := sum("\n-- UP\r\n\r\nselect 1;\r\nselect 2;\r\n-- DOWN\r\nselect 4;"); a != b {
		t.Error("line ends, blanks around and the down section count")
	}
	if b := sum("select 1;\nselect  2;"); a == b {
		t.Error("a changed text has the same checksum")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("-- UP\nselect 1;\n-- DOWN\nselect 2;")
	f.Add("-- NO TRANSACTION\nselect $$\n-- UP\n$$; /* -- DOWN */")
	f.Add("\ufeff--up\r\n'")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := migrate.Load(files("1_a.sql", text))
		if err != nil {
			return
		}
		if len(m) != 1 || m[0].Up.File == "" {
			t.Fatalf("%q: %+v", text, m)
		}
		lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
		for _, s := range []migrate.Section{m[0].Up, m[0].Down} {
			if !strings.Contains(text, s.SQL) {
				t.Fatalf("%q: section %q is not of the file", text, s.SQL)
			}
			if first, _, _ := strings.Cut(s.SQL, "\n"); s.SQL != "" && !strings.Contains(lines[s.Line-1], first) {
				t.Fatalf("%q: section %q is not at line %d", text, s.SQL, s.Line)
			}
		}
	})
}

func TestNilFileSystemsAndHandlesAreErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, test := range map[string]struct {
		call func() error
		want string
	}{
		"Load":       {func() error { _, err := migrate.Load(nil); return err }, "migrate: the file system is nil"},
		"Up":         {func() error { _, err := migrate.Up(ctx, nil, nil, migrate.Options{}); return err }, "migrate: the file system is nil"},
		"Up, handle": {func() error { _, err := migrate.Up(ctx, nil, shop(), migrate.Options{}); return err }, "migrate: the handle is nil"},
		"Up, pool":   {func() error { _, err := migrate.Up(ctx, (*sql.DB)(nil), shop(), migrate.Options{}); return err }, "migrate: the handle is a nil *sql.DB"},
		"Status":     {func() error { _, err := migrate.Status(ctx, nil, shop(), migrate.Options{}); return err }, "migrate: the handle is nil"},
		"Resolve":    {func() error { return migrate.Resolve(ctx, nil, 1, true, migrate.Options{}) }, "migrate: the handle is nil"},
	} {
		if err := test.call(); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
