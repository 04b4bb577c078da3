package sqltest_test

import (
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pycopg/pycopg/sqltest"
)

// Hundreds of tests that run at a time have a migrated database each. What that costs is printed with -v.
func TestHundredsOfTestsHaveADatabaseEach(t *testing.T) {
	const tests = 200
	sqltest.Server(t) // its start is not what is measured
	migrations := fstest.MapFS{"1.sql": {Data: []byte("create table item (n int primary key); insert into item select generate_series(1, 100)")}}
	start := time.Now()
	t.Cleanup(func() { t.Logf("%d tests with a database each: %v", tests, time.Since(start).Round(time.Millisecond)) })
	for i := range tests {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			db := sqltest.DB(t, sqltest.Options{Migrations: migrations})
			if _, err := db.ExecContext(t.Context(), "insert into item values ($1)", 1000+i); err != nil {
				t.Fatal(err)
			}
			var n, others int
			err := db.QueryRowContext(t.Context(), "select count(*), count(*) filter (where n >= 1000) from item").Scan(&n, &others)
			if n != 101 || others != 1 || err != nil {
				t.Errorf("%d rows, %d of tests, %v", n, others, err)
			}
		})
	}
}
