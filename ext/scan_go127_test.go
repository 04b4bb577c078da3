//go:build go1.27

package ext_test

import (
	"database/sql"
	"reflect"
	"testing"
)

func TestScanTakesRegisteredTypesAndComposites(t *testing.T) {
	t.Parallel()
	inEveryMode(t, levelType+"; "+pairTypes, func(t *testing.T, db *sql.DB) {
		if t.Name() == "TestScanTakesRegisteredTypesAndComposites/column_scanner=off" {
			return
		}
		register(t, db, "point", spotFuncs)
		register(t, db, "level", levelFuncs)
		const query = "select $1::point, $2::level, array[$1::point, null], null::point, $2::level, $3::nest, array[($3::nest).p, null], row(1, 'x')"
		a, want := spot{1.5, -2}, newNest()
		for use := range 7 {
			var p spot
			var l level
			var ps []*spot
			var none *spot
			var null sql.Null[level]
			var n nest
			var pairs []*pair
			var record struct {
				N    int
				Text string
			}
			err := db.QueryRowContext(t.Context(), query, a, level(2), want).Scan(&p, &l, &ps, &none, &null, &n, &pairs, &record)
			if err != nil || p != a || l != 2 || len(ps) != 2 || *ps[0] != a || ps[1] != nil || none != nil || !null.Valid || null.V != 2 ||
				!reflect.DeepEqual(n, want) || len(pairs) != 2 || pairs[0].A != 1 || pairs[1] != nil || record.N != 1 || record.Text != "x" {
				t.Fatalf("use %d: %v %v %v %v %v %v %v %v: %v", use+1, p, l, ps, none, null, n, pairs, record, err)
			}
		}
		var p spot
		if err := db.QueryRowContext(t.Context(), "select null::point").Scan(&p); err == nil {
			t.Error("NULL was scanned into a registered type")
		}
		var text string
		var value any
		if err := db.QueryRowContext(t.Context(), "select '(1,2)'::point, '(1,2)'::point").Scan(&text, &value); err != nil || text != "(1,2)" || word(t, db, "select $1::text", value) != "(1,2)" {
			t.Errorf("as text: %q, %v, %v", text, value, err)
		}
	})
}
