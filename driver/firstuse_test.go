package driver_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pycopg/pycopg/sqltest"
)

func TestTimesAndAddressesReachJSONOnTheFirstUse(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		query string
		arg   any
		want  string
	}{
		{"select $1::jsonb::text", at, `"2020-01-02T03:04:05Z"`},
		{"select $1::json::text", netip.MustParseAddr("10.0.0.1"), `"10.0.0.1"`},
		{"select $1::jsonb::text || ''", netip.MustParsePrefix("10.0.0.0/8"), `"10.0.0.0/8"`},
		{"select $1::timestamptz::date::text", at, "2020-01-02"},
	} {
		if got := word(t, db, tt.query, tt.arg); got != tt.want {
			t.Errorf("%s of %v = %s, want %s", tt.query, tt.arg, got, tt.want)
		}
		tx := begin(t, one(t, db))
		query := tt.query + " -- in a transaction"
		if got := word(t, tx, query, tt.arg); got != tt.want {
			t.Errorf("%s of %v = %s, want %s", query, tt.arg, got, tt.want)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}
