package driver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pycopg/pycopg/driver"
)

// FuzzParseConfig: what is accepted survives String, and host, port, user, password and database are those of pgconn
// wherever both accept the input.
func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		"", "host=a,b port=1,2 user=u password='p q' dbname=d", `user=a\ b dbname='\'\\'`, "host='' port=''",
		"postgres://u:p@h:1/d?sslmode=disable", "postgresql://[::1]:2,h/d", "postgres://%2Ftmp/d", "postgres://u%3A@h/ d ",
		"postgres://h?user=x", "postgres://h/d?port=,", "host=a = b", "postgres://,/", "host=/x,y",
	} {
		f.Add(s)
	}
	hermetic := func(dsn string) (*driver.Config, error) {
		return driver.ConfigFromEnv(func(name string) (string, bool) {
			v := map[string]string{"DATABASE_URL": dsn, "HOME": "/nonexistent", "APPDATA": "/nonexistent"}[name]
			return v, v != ""
		})
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		if dsn == "" || strings.Contains(dsn, "service") || strings.Contains(dsn, "%73") {
			return
		}
		c, err := hermetic(dsn)
		if err != nil {
			return
		}
		again, err := hermetic(c.String())
		if err != nil {
			t.Fatalf("%q: String %q is refused: %v", dsn, c.String(), err)
		}
		if fmt.Sprint(c) != fmt.Sprint(again) {
			t.Fatalf("%q: read back as %q, want %q", dsn, again, c)
		}
		theirs, err := pgconn.ParseConfig(dsn)
		if err != nil || c.Hosts[0].HostAddr != "" || theirs.User == "" { // an empty user is of no use: ours is the system's
			return
		}
		if theirs.Host != c.Hosts[0].Host || theirs.Port != c.Hosts[0].Port || theirs.User != c.User || theirs.Database != c.Database || theirs.Password != c.Password {
			t.Errorf("%q: %q %d %q %q %q, pgconn has %q %d %q %q %q", dsn, c.Hosts[0].Host, c.Hosts[0].Port, c.User, c.Password, c.Database,
				theirs.Host, theirs.Port, theirs.User, theirs.Password, theirs.Database)
		}
	})
}
