package ext_test

import (
	"testing"

	"github.com/pycopg/pycopg/ext"
)

// TestInsertManyIntoAnAlteredTable alters a column between two inserts, in a transaction that is taken back too: no value is
// stored by the column's old type.
func TestInsertManyIntoAnAlteredTable(t *testing.T) {
	t.Parallel()
	type row struct{ V string }
	db := openDB(t)
	mustExec(t, db, "create table al (v int)")
	insert := func(q ext.Querier, want string) {
		t.Helper()
		mustExec(t, q, "delete from al")
		if _, err := ext.InsertMany(t.Context(), q, "al", []row{{"007"}, {"007"}}, ext.InsertOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := word(t, q, "select string_agg(v::text, ' ') from al"); got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	}
	for range 7 {
		insert(db, "7 7")
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tx, "alter table al alter v type text")
	insert(tx, "007 007")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	insert(db, "7 7")
	mustExec(t, db, "alter table al alter v type text")
	insert(db, "007 007")
}
