package driver_test

import (
	"database/sql"
	"testing"

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

func TestNativePlaceholdersOfAHelper(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	ctx := driver.WithQueryOptions(t.Context(), driver.QueryOptions{NativePlaceholders: true})
	var got string
	if err := db.QueryRowContext(ctx, "select $1::text || '%s'", "a").Scan(&got); err != nil || got != "a%s" {
		t.Errorf("got %q, %v", got, err)
	}
}
