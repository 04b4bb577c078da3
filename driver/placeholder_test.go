package driver_test

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

func TestFormatPlaceholdersRun(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	if got := word(t, db, "select %s || %t || '%%'", "a", "b"); got != "ab%" {
		t.Errorf("got %q", got)
	}
	if got := word(t, db, "select %(x)s || %(y)s || %(x)s", sql.Named("x", "a"), sql.Named("y", "b")); got != "aba" {
		t.Errorf("got %q", got)
	}
	if got := number(t, db, "select %(n)s::int %% 4", map[string]any{"n": 6}); got != 2 {
		t.Errorf("got %d", got)
	}
}

func TestFormatPlaceholdersPrepare(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	st, err := db.Prepare("select %s::int + 1")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var n int
	if err := st.QueryRow(1).Scan(&n); err != nil || n != 2 {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := db.Prepare("select %(a)s"); err == nil {
		t.Error("a named placeholder was prepared")
	}
	if _, err := db.Exec("select %s, %s", 1); err == nil {
		t.Error("a missing argument passed")
	}
}

// FuzzFormatPlaceholdersServer has the server judge: a statement with psycopg's placeholders is the one that an independent
// replacement gives, and takes as many arguments.
func FuzzFormatPlaceholdersServer(f *testing.F) {
	db := openConfig(f, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	conn := one(f, db)
	mustExec(f, conn, "set default_transaction_read_only = on; set statement_timeout = '10s'")
	for _, seed := range []string{
		"select %s::text || '%%'", "select %s::text, %b::text, %t::text", "select 7 %% %s::int4", "select %s::text -- 100%%", "select '%%s' || %s::text",
	} {
		f.Add(seed, "3")
	}
	f.Fuzz(func(t *testing.T, query, arg string) {
		if strings.ContainsAny(query, "$\x00") || strings.Contains(query, "%(") {
			t.Skip("names and native placeholders are another test's")
		}
		var args []any
		native := strings.NewReplacer("%%", "\x00", "%b", "%s", "%t", "%s").Replace(query)
		pieces := strings.Split(native, "%s")
		for range len(pieces) - 1 {
			args = append(args, arg)
		}
		if len(args) == 0 || strings.Contains(strings.Join(pieces, ""), "%") {
			return
		}
		want := pieces[0]
		for i, piece := range pieces[1:] {
			want += "$" + strconv.Itoa(i+1) + piece
		}
		want = strings.ReplaceAll(want, "\x00", "%")
		got, err := firstText(conn, query, args...)
		expected, werr := firstText(conn, want, append([]any{driver.QueryOptions{NativePlaceholders: true}}, args...)...)
		if got != expected || (err == nil) != (werr == nil) {
			t.Errorf("%q gives %q, %v; %q gives %q, %v", query, got, err, want, expected, werr)
		}
	})
}

func TestNativePlaceholdersOfAHelper(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	ctx := driver.WithQueryOptions(t.Context(), driver.QueryOptions{NativePlaceholders: true})
	var got string
	if err := db.QueryRowContext(ctx, "select $1::text || '%s'", "a").Scan(&got); err != nil || got != "a%s" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTheCallersOptionsAreNotForAHelper(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	tag := "the caller's"
	ctx := driver.WithHelperOptions(driver.WithQueryOptions(t.Context(), driver.QueryOptions{Simple: true, Tag: &tag}))
	var got string
	if err := db.QueryRowContext(ctx, "select $1::text || '%s'", "a").Scan(&got); err != nil || got != "a%s" || tag != "the caller's" {
		t.Errorf("got %q, %q, %v", got, tag, err)
	}
}

func TestSQLStateOfAnyError(t *testing.T) {
	t.Parallel()
	_, err := openDB(t).Exec("select 1/0")
	for _, tt := range []struct {
		err  error
		want string
	}{{err, "22012"}, {fmt.Errorf("wrapped: %w", err), "22012"}, {sql.ErrNoRows, ""}, {nil, ""}, {&pgconn.PgError{Code: "42P01"}, "42P01"}} {
		if got := driver.SQLState(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}
