package ext

import (
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// plan says where the columns of a result go in a struct type. It is not changed once it is made.
type plan struct {
	columns []string
	targets []target // one for each column
	dynamic bool     // the places of the fields differ from row to row: they lie in embedded pointers
	typed   bool     // the columns' PostgreSQL types are needed
}

// target is the place of one column.
type target struct {
	index []int // nil for a column that is left out
	class class
}

// planKey finds plans by type and columns.
type planKey struct {
	typ     reflect.Type
	lax     bool
	columns uint64 // hash
}

// plans caches them, and starts anew when there are too many: statements can be made at run time.
var plans = struct {
	sync.RWMutex
	seed  maphash.Seed
	known map[planKey]*plan
}{seed: maphash.MakeSeed(), known: make(map[planKey]*plan)}

const maxPlans = 4096

// planFor returns the plan of a struct type for the columns of a result.
func planFor(t reflect.Type, columns []string, lax bool) (*plan, error) {
	key := planKey{typ: t, lax: lax, columns: hashColumns(columns)}
	plans.RLock()
	p := plans.known[key]
	plans.RUnlock()
	if p != nil && slices.Equal(p.columns, columns) {
		return p, nil
	}
	p, err := makePlan(t, columns, lax)
	if err != nil {
		return nil, err
	}
	plans.Lock()
	defer plans.Unlock()
	if len(plans.known) >= maxPlans {
		clear(plans.known)
	}
	plans.known[key] = p
	return p, nil
}

func hashColumns(columns []string) uint64 {
	var h maphash.Hash
	h.SetSeed(plans.seed)
	for _, c := range columns {
		h.WriteString(c)
		h.WriteByte(0)
	}
	return h.Sum64()
}

func makePlan(t reflect.Type, columns []string, lax bool) (*plan, error) {
	s, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	p := &plan{columns: slices.Clone(columns), targets: make([]target, len(columns)), dynamic: s.pointers}
	seen := make([]bool, len(s.fields))
	var extra, twice []string
	for i, column := range columns {
		n, ok := s.byColumn[column]
		switch {
		case !ok:
			extra = append(extra, column)
			continue
		case seen[n]:
			twice = append(twice, column)
		}
		seen[n] = true
		class := classOf(s.fields[n].typ)
		p.targets[i] = target{index: s.fields[n].index, class: class}
		p.typed = p.typed || class != direct
	}
	if lax {
		return p, nil
	}
	var missing []string
	for i, f := range s.fields {
		if !seen[i] {
			missing = append(missing, f.column)
		}
	}
	return p, mismatch(t, extra, missing, twice)
}

// mismatch is the error of columns that do not fit the fields of t, nil when there are none.
func mismatch(t reflect.Type, extra, missing, twice []string) error {
	var said []string
	for _, part := range []struct {
		columns []string
		text    string
	}{
		{extra, "%s has no field for column %s"},
		{missing, "fields of %s have no column in the result: %s"},
		{twice, "%s: more than one column is called %s"},
	} {
		if len(part.columns) > 0 {
			said = append(said, fmt.Sprintf(part.text, t, quoteNames(part.columns)))
		}
	}
	if said == nil {
		return nil
	}
	return fmt.Errorf("%s (Lax allows it)", strings.Join(said, "; "))
}
