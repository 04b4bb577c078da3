//go:build go1.27

package compat

import (
	"testing"
	"uuid"

	"github.com/pycopg/pycopg/sqltest"
)

func TestStandardUUIDsAreArgumentsAndDestinations(t *testing.T) {
	t.Parallel()
	db := open(t, ours, dsnOf(t, sqltest.Options{}))
	want := uuid.UUID(uuidOf7)
	for range 7 {
		var got uuid.UUID
		var all []uuid.UUID
		if err := db.QueryRowContext(t.Context(), "select $1::uuid, $2::uuid[]", want, []uuid.UUID{want}).Scan(&got, &all); err != nil {
			t.Fatal(err)
		}
		if got != want || len(all) != 1 || all[0] != want {
			t.Errorf("read back %v %v, want %v", got, all, want)
		}
		if s := queryVal[string](t, db, "select $1::text", want); s != uuidText {
			t.Errorf("as text %s, want %s", s, uuidText)
		}
	}
}
