package driver_test

import (
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

func TestSessionsInUTCScanTimesInTimeUTC(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"UTC", "Etc/UTC", "Etc/Zulu"} {
		db := openConfig(t, func(cfg *driver.Config) {
			cfg.TimezoneScan = "session"
			cfg.RuntimeParams["TimeZone"] = zone
		})
		var got time.Time
		if err := db.QueryRow("select '2026-01-02 03:04:05Z'::timestamptz").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC); got != want {
			t.Errorf("TimeZone %s: got %#v", zone, got)
		}
	}
}
