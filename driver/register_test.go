package driver_test

import (
	"database/sql"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func TestRegisterAddsANameOnce(t *testing.T) {
	t.Parallel()
	if !driver.Register("pycopg-alias") {
		t.Error("Register of a free name = false")
	}
	for _, taken := range []string{"pycopg-alias", "pycopg"} {
		if driver.Register(taken) {
			t.Errorf("Register(%q) of a taken name = true", taken)
		}
	}
	db, err := sql.Open("pycopg-alias", sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := number(t, db, "select 42"); n != 42 {
		t.Errorf("select 42 = %d", n)
	}
}
