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

// A zone without a name, as SET TIME ZONE takes it from numbers and intervals, is an offset for Go.
func TestSessionsWithAnOffsetScanTimesInIt(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, func(cfg *driver.Config) { cfg.TimezoneScan = "session" }))
	for _, zone := range []string{"-7", "5.5", "'+05:30'", "'<odd>-12:34:00'", "'XYZ3'", "interval '02:00' hour to minute", "'Europe/Paris'", "'UTC'"} {
		mustExec(t, conn, "set time zone "+zone)
		for _, instant := range []string{"2026-07-02 03:04:05Z", "2026-01-02 03:04:05Z"} {
			var got time.Time
			var want int
			err := conn.QueryRowContext(t.Context(), "select t, extract(timezone from t)::int from cast($1 as timestamptz) t", instant).Scan(&got, &want)
			if _, offset := got.Zone(); err != nil || offset != want {
				t.Errorf("time zone %s: %s is shown as %v (%v), want the offset %d", zone, instant, got, err, want)
			}
		}
	}
}
