package driver

import (
	"errors"
	"os"
	"strings"
)

// dbVariables are read when DATABASE_URL is not set.
var dbVariables = []struct{ name, key string }{
	{"DB_HOST", "host"},
	{"DB_PORT", "port"},
	{"DB_NAME", "dbname"},
	{"DB_USER", "user"},
	{"DB_PASSWORD", "password"},
}

// pgVariables are those of libpq that say where to connect.
var pgVariables = []string{"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"}

// ConfigFromEnv makes a Config from the environment: DATABASE_URL, a connection string as in [ParseConfig]; or else
// DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD; or else libpq's variables (PGHOST, PGDATABASE, PGSERVICE, …), which
// also fill what the others leave open. A variable that is empty counts as not set. Where none is set, the error lists
// all that were tried. lookup finds a variable; nil is os.LookupEnv.
func ConfigFromEnv(lookup func(string) (string, bool)) (*Config, error) {
	if lookup == nil {
		lookup = os.LookupEnv
	}
	find := lookupFunc(lookup)
	if dsn := find.value("DATABASE_URL"); dsn != "" {
		return parseConfig(dsn, "DATABASE_URL", find)
	}
	tried := []string{"DATABASE_URL"}
	given := map[string]string{}
	for _, v := range dbVariables {
		tried = append(tried, v.name)
		if value := find.value(v.name); value != "" {
			given[v.key] = value
		}
	}
	if len(given) > 0 {
		return buildConfig(given, "DB_*", find)
	}
	for _, name := range pgVariables {
		tried = append(tried, name)
		if find.value(name) != "" {
			return buildConfig(nil, "", find)
		}
	}
	return nil, errors.New("driver: no connection in the environment, none of these variables is set: " + strings.Join(tried, ", "))
}

// environmentSettings are the variables that stand for a keyword.
func environmentSettings(lookup lookupFunc) map[string]string {
	out := map[string]string{}
	for _, k := range keywords {
		if k.env == "" {
			continue
		}
		if v := lookup.value(k.env); v != "" {
			out[k.name] = v
		}
	}
	return out
}
