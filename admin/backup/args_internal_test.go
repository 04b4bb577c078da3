package backup

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestCommandLineOfPgDump(t *testing.T) {
	t.Parallel()
	const base = "--no-password --format="
	for _, c := range []struct {
		opts  DumpOptions
		major int
		want  string
	}{
		{DumpOptions{Path: "x"}, 15, base + "custom --file=/t"},
		{
			DumpOptions{Path: "x", Format: Directory, Jobs: 4, Compress: "gzip:3", SchemaOnly: true, Progress: func(string) {}},
			15,
			base + "directory --file=/t --jobs=4 --compress=3 --verbose --schema-only",
		},
		{DumpOptions{Path: "x", Compress: "zstd:9", DataOnly: true}, 16, base + "custom --file=/t --compress=zstd:9 --data-only"},
		{DumpOptions{Path: "x", Compress: "none"}, 15, base + "custom --file=/t --compress=0"},
		{DumpOptions{Path: "x", Compress: "gzip"}, 14, base + "custom --file=/t --compress=6"},
		{
			DumpOptions{Path: "x", Tables: []string{"a", `app."B.c"""`}, Schemas: []string{`S"*`}, ExcludeTables: []string{"d"}, ExcludeData: []string{"e"}, ExcludeSchemas: []string{"f"}},
			15,
			base + `custom --file=/t --table="a" --table="app"."B.c""" --schema="S""*" --strict-names --exclude-table="d" --exclude-table-data="e" --exclude-schema="f"`,
		},
		{
			DumpOptions{Path: "x", Format: Plain, Clean: true, IfExists: true, Create: true, NoOwner: true, NoPrivileges: true, Role: "r", Snapshot: "s", LockTimeout: time.Second, Args: []string{"--inserts", "--section=data"}},
			15,
			base + "plain --file=/t --clean --if-exists --create --no-owner --no-privileges --role=r --snapshot=s --lock-wait-timeout=1000 --inserts --section=data",
		},
	} {
		if err := c.opts.check(); err != nil {
			t.Errorf("%+v: %v", c.opts, err)
			continue
		}
		args, err := c.opts.args(c.major, "/t")
		if got := strings.Join(args, " "); err != nil || got != c.want {
			t.Errorf("%+v:\n got %s, %v\nwant %s", c.opts, got, err, c.want)
		}
	}
}

func TestDumpOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		opts DumpOptions
		want string
	}{
		{DumpOptions{}, "either a Path or a Writer"},
		{DumpOptions{Path: "x", Writer: io.Discard}, "either a Path or a Writer"},
		{DumpOptions{Path: "x", Format: "zip"}, `format "zip"`},
		{DumpOptions{Writer: io.Discard, Format: Directory}, "needs a Path"},
		{DumpOptions{Path: "x", Jobs: 2}, "Jobs needs the directory format"},
		{DumpOptions{Path: "x", Jobs: -1}, "-1 jobs"},
		{DumpOptions{Path: "x", Format: Tar, Compress: "9"}, "tar format is not compressed"},
		{DumpOptions{Path: "x", SchemaOnly: true, DataOnly: true}, "exclude each other"},
		{DumpOptions{Path: "x", Clean: true}, "for the plain format"},
		{DumpOptions{Path: "x", Format: Plain, IfExists: true}, "IfExists needs Clean"},
		{DumpOptions{Path: "x", LockTimeout: -1}, "LockTimeout"},
		{DumpOptions{Path: "x", Tables: []string{"a.b.c"}}, `table "a.b.c"`},
		{DumpOptions{Path: "x", Schemas: []string{""}}, `schema ""`},
		{DumpOptions{Path: "x", Compress: "12"}, `compression "12"`},
		{DumpOptions{Path: "x", Compress: "9 --file=y"}, "compression"},
		{DumpOptions{Path: "x", Compress: "zstd"}, "PostgreSQL 16"},
		{DumpOptions{Path: "x", Role: "a\x00b"}, "--role: a NUL byte"},
		{DumpOptions{Path: "x", Args: []string{"-Fp"}}, `option "-Fp" of Args: options are given in their long form`},
		{DumpOptions{Path: "x", Args: []string{"--"}}, "long form"},
		{DumpOptions{Path: "x", Args: []string{"shop"}}, "long form"},
		{DumpOptions{Path: "x", Args: []string{"--file=y"}}, "--file"},
		{DumpOptions{Path: "x", Args: []string{"--fil=y"}}, "--file"},
		{DumpOptions{Path: "x", Args: []string{"--db=y"}}, "--dbname"},
		{DumpOptions{Path: "x", Args: []string{"--section=a\nb"}}, "control character"},
	} {
		err := c.opts.check()
		if err == nil {
			_, err = c.opts.args(15, "/t")
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.opts, err, c.want)
		}
	}
	if _, err := compression("lz4", 15); !errors.Is(err, ErrToolVersion) {
		t.Errorf("lz4 before 16: %v", err)
	}
}

func TestCommandLinesOfRestore(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	const base = "--no-password --dbname=dbname='it\\'s'"
	for _, c := range []struct {
		opts RestoreOptions
		want string
	}{
		{RestoreOptions{}, base + " --exit-on-error /a"},
		{RestoreOptions{Clean: true}, base + " --exit-on-error --clean /a"},
		{RestoreOptions{Clean: true, IfExists: true, ContinueOnError: true, Jobs: 3, Path: "/a"}, base + " --jobs=3 --clean --if-exists /a"},
		{
			RestoreOptions{SingleTransaction: &yes, NoOwner: true, NoPrivileges: true, SchemaOnly: true, Role: "r", Progress: func(string) {}},
			base + " --verbose --exit-on-error --single-transaction --schema-only --no-owner --no-privileges --role=r /a",
		},
		{
			RestoreOptions{Tables: []string{"app.a", `app."B.c"`}, DataOnly: true, Args: []string{"--disable-triggers"}},
			base + " --exit-on-error --data-only --table=a --table=B.c --schema=app --strict-names --disable-triggers /a",
		},
		{RestoreOptions{Schemas: []string{"A b"}, ExcludeSchemas: []string{"c"}}, base + " --exit-on-error --schema=A b --exclude-schema=c --strict-names /a"},
	} {
		args, err := c.opts.args("it's", "/a")
		if got := strings.Join(args, " "); err != nil || c.opts.check(Custom) != nil || got != c.want {
			t.Errorf("%+v:\n got %s, %v, %v\nwant %s", c.opts, got, err, c.opts.check(Custom), c.want)
		}
	}
	const psql = "--no-psqlrc --no-password --set=ON_ERROR_STOP=1 --set=VERBOSITY=default --pset=pager=off"
	for _, c := range []struct {
		opts RestoreOptions
		want string
	}{
		{RestoreOptions{}, " --single-transaction --quiet --file=-"},
		{RestoreOptions{SingleTransaction: &no, Progress: func(string) {}}, " --file=-"},
	} {
		if got := strings.Join(c.opts.psqlArgs(), " "); got != psql+c.want {
			t.Errorf("psql: %s, want %s", got, psql+c.want)
		}
	}
}

func TestRestoreOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	yes := true
	for _, c := range []struct {
		opts   RestoreOptions
		format Format
		want   string
	}{
		{RestoreOptions{IfExists: true}, Custom, "IfExists needs Clean"},
		{RestoreOptions{Jobs: 2}, Custom, "Jobs needs a Path"},
		{RestoreOptions{Jobs: 2, Path: "x"}, Tar, "Jobs needs the custom or the directory format"},
		{RestoreOptions{Jobs: 2, Path: "x", SingleTransaction: &yes}, Custom, "excludes Jobs"},
		{RestoreOptions{Create: true, SingleTransaction: &yes}, Custom, "excludes Create"},
		{RestoreOptions{ContinueOnError: true, SingleTransaction: &yes}, Custom, "excludes ContinueOnError"},
		{RestoreOptions{SchemaOnly: true, DataOnly: true}, Custom, "exclude each other"},
		{RestoreOptions{Clean: true, DataOnly: true}, Custom, "exclude each other"},
		{RestoreOptions{Clean: true}, Plain, "Clean is for archives"},
		{RestoreOptions{Tables: []string{"a"}}, Plain, "Tables is for archives"},
		{RestoreOptions{Args: []string{"--x"}}, Plain, "Args is for archives"},
		{RestoreOptions{Tables: []string{"a.x", "b.x"}}, Custom, "one schema at a time"},
		{RestoreOptions{Tables: []string{"a.x"}, Schemas: []string{"b"}}, Custom, "one schema at a time"},
		{RestoreOptions{Tables: []string{`"a`}}, Custom, "an open quote"},
		{RestoreOptions{Args: []string{"--host=x"}}, Custom, "--host"},
	} {
		err := c.opts.check(c.format)
		if err == nil {
			_, err = c.opts.args("d", "/a")
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.opts, err, c.want)
		}
	}
}
