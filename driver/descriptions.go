package driver

import (
	"sync"
	"sync/atomic"
)

// descriptions is what the connections of a pool know of statements together: a further connection need not ask for the
// types that one has learned. It also carries the schema epoch: a stale plan found on one connection has the others
// ask again before they fail.
type descriptions struct {
	epoch atomic.Uint64
	sync.RWMutex
	known map[string]*description
	bytes int
}

// description is what the server says of a statement. It is shared, and not changed once it is known.
type description struct {
	params  []uint32
	columns []column // as Describe gives them, formats and decoders for the formats to ask for
	formats []int16
	names   []string
}

func newDescriptions() *descriptions {
	return &descriptions{known: make(map[string]*description)}
}

// find returns what is known of sql, nil when nothing is, and the epoch.
func (d *descriptions) find(sql string) (*description, uint64) {
	d.RLock()
	defer d.RUnlock()
	return d.known[sql], d.epoch.Load()
}

// learn shares a description. When there are too many it starts anew: asking again costs one round trip each.
func (d *descriptions) learn(sql string, k *description, epoch uint64) {
	d.Lock()
	defer d.Unlock()
	if epoch != d.epoch.Load() || d.known[sql] != nil {
		return
	}
	if len(d.known) >= maxTexts || d.bytes+len(sql) > maxTextBytes {
		clear(d.known)
		d.bytes = 0
	}
	d.known[sql] = k
	d.bytes += len(sql)
}

// current is the schema epoch.
func (d *descriptions) current() uint64 { return d.epoch.Load() }

// stale begins a new epoch, unless the description that turned out stale was of an earlier one.
func (d *descriptions) stale(epoch uint64) {
	d.Lock()
	defer d.Unlock()
	if epoch != d.epoch.Load() {
		return
	}
	d.epoch.Add(1)
	clear(d.known)
	d.bytes = 0
}
