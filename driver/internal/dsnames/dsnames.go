// Package dsnames keeps the data source names that stand for something a program holds in memory, such as a configuration
// that no connection string can express.
package dsnames

import (
	sqldriver "database/sql/driver"
	"strconv"
	"sync"
)

// Open makes a connector for a name.
type Open func() (sqldriver.Connector, error)

var names struct {
	sync.Mutex
	last int
	open map[string]Open
}

// Add returns a new name for open.
func Add(open Open) string {
	names.Lock()
	defer names.Unlock()
	names.last++
	name := "registeredConfig" + strconv.Itoa(names.last)
	if names.open == nil {
		names.open = make(map[string]Open)
	}
	names.open[name] = open
	return name
}

// Remove forgets a name. It does nothing when there is no such name.
func Remove(name string) {
	names.Lock()
	defer names.Unlock()
	delete(names.open, name)
}

// Find returns what Add was given for the name, nil when there is no such name.
func Find(name string) Open {
	names.Lock()
	defer names.Unlock()
	return names.open[name]
}
