package driver_test

import (
	"net/netip"
	"testing"
	"time"
)

func TestTimesBecomeJSONOnEveryUse(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	db := openDB(t)
	for use := range 8 {
		if got := word(t, db, "select $1::jsonb #>> '{}'", at); got != "2020-01-02T03:04:05Z" {
			t.Errorf("use %d: got %q", use+1, got)
		}
		if got := word(t, db, "select $1::json #>> '{}'", netip.MustParseAddr("10.0.0.1")); got != "10.0.0.1" {
			t.Errorf("use %d: got %q", use+1, got)
		}
	}
	tx := begin(t, openDB(t))
	if got := word(t, tx, "select $1::jsonb #>> '{}'", at); got != "2020-01-02T03:04:05Z" {
		t.Errorf("in a transaction: got %q", got)
	}
}
