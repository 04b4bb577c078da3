//go:build go1.27

package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

func TestColumnsScanStraightIntoGoValues(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	var (
		ints   []int64
		nested [][]string
		byName map[string]any
		id     [16]byte
		wait   time.Duration
		text   string
		empty  *int
	)
	err := db.QueryRow(`select '{1,2,3}'::int8[], '{{a,b},{c,NULL}}'::text[], '{"a": [1]}'::jsonb,
		'00000000-0000-0000-0000-000000000001'::uuid, '90 seconds'::interval, 'x'::text, null::int4 where $1`, true).
		Scan(&ints, new([][]*string), &byName, &id, &wait, &text, &empty)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(ints, []int64{1, 2, 3}) || byName["a"] == nil || id[15] != 1 || wait != 90*time.Second || text != "x" || empty != nil {
		t.Errorf("got %v, %v, %v, %v, %v, %v, %v", ints, nested, byName, id, wait, text, empty)
	}
	if err := db.QueryRow("select '{{a,b},{c,NULL}}'::text[]").Scan(&nested); err == nil {
		t.Errorf("a NULL element became %q", nested)
	}
}

// typesScanner is a Scanner that looks at the rows it is scanned from, as some ORMs' do.
type typesScanner struct {
	rows  *sql.Rows
	types []*sql.ColumnType
	err   error
}

func (s *typesScanner) Scan(any) error {
	s.types, s.err = s.rows.ColumnTypes()
	return nil
}

func TestScannerMayAskForColumnTypesWithoutColumnScanner(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.ColumnScanner = false })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	rows, err := db.QueryContext(ctx, "select 1")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		defer rows.Close()
		s := &typesScanner{rows: rows}
		if !rows.Next() {
			done <- errors.New("no row")
			return
		}
		err := rows.Scan(s)
		if err == nil && (s.err != nil || len(s.types) != 1) {
			err = errors.New("no column types")
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("a Scanner that calls ColumnTypes did not return")
	}
}

func TestScanBehindTheLastRowOfASetIsAnError(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	rows, err := db.Query("select 1; select 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n int
	for rows.Next() {
	}
	if err := rows.Scan(&n); err == nil {
		t.Errorf("scanned %d where there is no row", n)
	}
	if !rows.NextResultSet() || !rows.Next() {
		t.Fatal("no second set:", rows.Err())
	}
	if err := rows.Scan(&n); err != nil || n != 2 {
		t.Errorf("second set: %d, %v", n, err)
	}
}

func TestNullIsAnErrorForWhatCannotHoldIt(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, kind := range []string{"int4", "text", "bytea", "timestamptz", "int4[]", "jsonb"} {
		dests := []any{new(struct{ A int }), new([2]int), new([16]byte), new(netip.Addr), new(netip.Prefix), new(big.Int)}
		for _, dest := range dests {
			for range 10 { // pgtype tries its plans in random order
				if err := db.QueryRow("select null::" + kind).Scan(dest); err == nil {
					t.Fatalf("NULL of %s became %v", kind, dest)
				}
			}
		}
	}
}
