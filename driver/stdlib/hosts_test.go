package stdlib_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver/stdlib"
)

// attempts lists what c tries, in order.
func attempts(c *pgx.ConnConfig) []string {
	show := func(host string, port uint16, t *tls.Config) string {
		if t != nil {
			return fmt.Sprintf("%s:%d tls %s", host, port, t.ServerName)
		}
		return fmt.Sprintf("%s:%d plain", host, port)
	}
	list := []string{show(c.Host, c.Port, c.TLSConfig)}
	for _, f := range c.Fallbacks {
		list = append(list, show(f.Host, f.Port, f.TLSConfig))
	}
	return list
}

func TestRandomizeHostOrderKeepsAHostsAttemptsInOrder(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][2]string{"prefer": {"tls", "plain"}, "allow": {"plain", "tls"}} {
		first := make(map[string]int)
		for range 200 {
			c := parse(t, "host=a,b,c,b port=1,2,3,4 user=u dbname=d sslmode="+mode)
			before := attempts(c)
			old := slices.Clone(c.Fallbacks)
			list := c.Fallbacks
			if err := stdlib.RandomizeHostOrderFunc(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			after := attempts(c)
			first[after[0][:3]]++
			for i := 0; i < len(after); i += 2 {
				var a, b, kindA, kindB string
				fmt.Sscan(after[i], &a, &kindA)
				fmt.Sscan(after[i+1], &b, &kindB)
				if a != b || kindA != want[0] || kindB != want[1] {
					t.Fatalf("%s: order %q", mode, after)
				}
			}
			slices.Sort(before)
			slices.Sort(after)
			if !slices.Equal(before, after) {
				t.Fatalf("%s: attempts %q became %q", mode, before, after)
			}
			if !slices.Equal(old, list) {
				t.Fatal("the list of the configuration that was copied has changed")
			}
		}
		if len(first) != 4 {
			t.Errorf("%s: hosts tried first: %v, want each of four at times", mode, first)
		}
	}
}

func TestRandomizeHostOrderLeavesOneHostAlone(t *testing.T) {
	t.Parallel()
	c := parse(t, "host=a port=1 user=u dbname=d sslmode=disable")
	if err := stdlib.RandomizeHostOrderFunc(t.Context(), c); err != nil || c.Host != "a" || len(c.Fallbacks) != 0 {
		t.Errorf("host %q, %d fallbacks, error %v", c.Host, len(c.Fallbacks), err)
	}
}

func TestRandomizeHostOrderConnects(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Fallbacks = append(c.Fallbacks, &pgconn.FallbackConfig{Host: t.TempDir(), Port: 1})
	db := closed(t, stdlib.OpenDB(*c, stdlib.OptionBeforeConnect(stdlib.RandomizeHostOrderFunc)))
	db.SetMaxIdleConns(-1)
	for range 8 {
		mustExec(t, db, "select 1")
	}
}
