package driver

import (
	"database/sql"
	"slices"
	"sync"
)

var registering sync.Mutex

// Register registers the driver under another name beside "pycopg", for programs that say sql.Open("postgres", dsn) or
// sql.Open("pgx", dsn). It reports whether it did: where the name is taken, by this driver or another, it does nothing.
// Call it from an init function or early in main: another driver that registers the same name later panics.
func Register(name string) bool {
	registering.Lock()
	defer registering.Unlock()
	if slices.Contains(sql.Drivers(), name) {
		return false
	}
	sql.Register(name, &Driver{})
	return true
}
