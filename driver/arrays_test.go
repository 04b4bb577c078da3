package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

func TestAppendElementWritesWhatTheServerReads(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tests := []struct {
		elem uint32
		typ  string
		in   any
		want string // of the element as text
	}{
		{23, "int4", 7, "7"},
		{25, "text", `a "b" \ {,} NULL`, `a "b" \ {,} NULL`},
		{25, "text", "NULL", "NULL"},
		{25, "text", "", ""},
		{17, "bytea", []byte{0, 255, '"'}, `\x00ff22`},
		{16, "bool", true, "true"},
		{1184, "timestamptz", time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC), "2024-02-03 04:05:06+00"},
		{3802, "jsonb", json.RawMessage(`{"a": [1]}`), `{"a": [1]}`},
		{3802, "jsonb", map[string]any{"a": []string{"x"}}, `{"a": ["x"]}`},
		{3802, "jsonb", []int{1, 2}, "[1, 2]"},
		{701, "float8", 1e300, "1e+300"},
		{2950, "uuid", [16]byte{15: 1}, "00000000-0000-0000-0000-000000000001"},
	}
	for _, tt := range tests {
		args, err := driver.ConvertArgs([]any{tt.in, nil})
		if err != nil {
			t.Fatal(err)
		}
		array := []byte{'{'}
		inside(t, db, func(_ context.Context, c *driver.Conn) {
			for _, v := range args {
				if array, err = c.AppendElement(array, tt.elem, v); err != nil {
					t.Fatalf("%v: %v", tt.in, err)
				}
				array = append(array, ',')
			}
		})
		array[len(array)-1] = '}'
		query := "select set_config('TimeZone', 'UTC', false), (($1::text)::" + tt.typ + "[])[1]::text, (($1::text)::" + tt.typ + "[])[2] is null"
		var zone, got string
		var null bool
		if err := db.QueryRow(query, string(array)).Scan(&zone, &got, &null); err != nil || got != tt.want || !null {
			t.Errorf("%v is written %s: %q, %v, %v, want %q", tt.in, array, got, null, err, tt.want)
		}
	}
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		if out, err := c.AppendElement([]byte("x"), 25, "a\x00"); err == nil || string(out) != "x" {
			t.Errorf("a NUL byte: %q, %v", out, err)
		}
	})
}

func TestConvertArgsCallsValuers(t *testing.T) {
	t.Parallel()
	got, err := driver.ConvertArgs([]any{sql.Null[int]{V: 5, Valid: true}, sql.NullString{}, new(int)})
	if err != nil || fmt.Sprint(got) != "[5 <nil> 0]" {
		t.Errorf("%#v, %v", got, err)
	}
	if _, err := driver.ConvertArgs([]any{make(chan int)}); err == nil {
		t.Error("a channel was taken")
	}
}

func TestSharedIsMadeOncePerPool(t *testing.T) {
	t.Parallel()
	type key struct{}
	var made int
	get := func(db *sql.DB) (v any) {
		inside(t, db, func(_ context.Context, c *driver.Conn) {
			v = c.Connector().Shared(key{}, func() any { made++; return errors.New("a value") })
		})
		return v
	}
	db, other := openDB(t), openDB(t)
	if first := get(db); get(db) != first || get(other) == first || made != 2 {
		t.Errorf("made %d times", made)
	}
}
