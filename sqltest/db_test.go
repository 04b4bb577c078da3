package sqltest_test

import (
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

func TestDatabaseIsFreshAndUsable(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	defer sqltest.Check(t, db)
	var name string
	if err := db.QueryRow("select current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	t.Log(name)
}
