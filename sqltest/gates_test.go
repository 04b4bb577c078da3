package sqltest_test

import (
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

func TestGatesSkipWhatTheServerLacks(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	tests := []struct {
		name    string
		gate    func(t *testing.T)
		skipped bool
	}{
		{"old enough version", func(t *testing.T) { sqltest.MinVersion(t, 10) }, false},
		{"future version", func(t *testing.T) { sqltest.MinVersion(t, 99) }, true},
		{"bundled extension", func(t *testing.T) { sqltest.Extension(t, db, "plpgsql") }, false},
		{"unknown extension", func(t *testing.T) { sqltest.Extension(t, db, `no "such`) }, true},
	}
	for _, tt := range tests {
		skipped := false
		t.Run(tt.name, func(t *testing.T) {
			defer func() { skipped = t.Skipped() }()
			tt.gate(t)
		})
		if skipped != tt.skipped {
			t.Errorf("%s: skipped = %v", tt.name, skipped)
		}
	}
}
