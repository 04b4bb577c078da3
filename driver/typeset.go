package driver

import (
	"maps"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// typeSet is what a pool knows of its database's types, and which Go types stand for them. It is safe for concurrent use. A nil
// *typeSet knows nothing.
type typeSet struct {
	state  atomic.Pointer[typeState]
	change sync.Mutex // held by who replaces the state
	plans  sync.Map   // the fields of struct types, by planKey

	ask    func(oids []uint32) ([]*TypeInfo, error) // over a connection of its own
	asking sync.Mutex
	failed map[uint32]time.Time // when a type was asked for in vain
}

// typeState is not changed once it is in use.
type typeState struct {
	infos    map[uint32]*TypeInfo
	loaded   map[typeKey]bool // by LoadTypes: values of any type get theirs
	adapters map[reflect.Type]*typeAdapter
	byName   map[typeKey]*typeAdapter
}

// typeKey is the name of a type. Another type of the same name, made after the first was dropped, takes its place.
type typeKey struct{ schema, name string }

// typeAdapter translates between a Go type and the text of PostgreSQL types.
type typeAdapter struct {
	names  map[typeKey]bool
	encode func(v any) (string, error) // nil: no argument
	decode func(text string) (any, error)
}

func newTypeSet(ask func(oids []uint32) ([]*TypeInfo, error)) *typeSet {
	s := &typeSet{ask: ask, failed: make(map[uint32]time.Time)}
	s.state.Store(&typeState{})
	return s
}

var noTypes typeState

// current is the state, never nil.
func (s *typeSet) current() *typeState {
	if s == nil {
		return &noTypes
	}
	return s.state.Load()
}

// update replaces the state by one that fn has changed.
func (s *typeSet) update(fn func(*typeState)) {
	s.change.Lock()
	defer s.change.Unlock()
	old := s.state.Load()
	n := &typeState{infos: maps.Clone(old.infos), loaded: maps.Clone(old.loaded), adapters: maps.Clone(old.adapters), byName: maps.Clone(old.byName)}
	if n.infos == nil {
		n.infos, n.loaded = make(map[uint32]*TypeInfo), make(map[typeKey]bool)
		n.adapters, n.byName = make(map[reflect.Type]*typeAdapter), make(map[typeKey]*typeAdapter)
	}
	fn(n)
	s.state.Store(n)
}

// learn takes descriptions of types.
func (s *typeSet) learn(infos []*TypeInfo) {
	if len(infos) == 0 {
		return
	}
	s.update(func(n *typeState) {
		if len(n.infos) > maxUserTypes {
			clear(n.infos)
		}
		for _, t := range infos {
			if known := n.infos[t.OID]; known == nil || !reflect.DeepEqual(known, t) { // what is kept by its description stays
				n.infos[t.OID] = t
			}
		}
	})
}

// load has values of the type in an any be what its kind says.
func (s *typeSet) load(t *TypeInfo) {
	s.update(func(n *typeState) { n.loaded[typeKey{t.Schema, t.Name}] = true })
}

// register has values of goType stand for the type.
func (s *typeSet) register(t *TypeInfo, goType reflect.Type, a typeAdapter) {
	s.update(func(n *typeState) {
		name := typeKey{t.Schema, t.Name}
		a.names = map[typeKey]bool{name: true}
		if before := n.adapters[goType]; before != nil {
			maps.Copy(a.names, before.names)
		}
		n.adapters[goType], n.byName[name] = &a, &a
		for other := range a.names {
			if before := n.byName[other]; before != nil && before != &a && other != name {
				n.byName[other] = &a
			}
		}
	})
}

const askAgain = 10 * time.Second // after a type was asked for in vain

// info finds a type of the database's own, which it asks for where it is not known. nil is a built-in type, or one that cannot be
// found: it was made in a transaction that has not been committed, say.
func (s *typeSet) info(oid uint32) *TypeInfo {
	if s == nil || oid < firstUserOID {
		return nil
	}
	if t := s.state.Load().infos[oid]; t != nil {
		return t
	}
	if s.ask == nil {
		return nil
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	if t := s.state.Load().infos[oid]; t != nil {
		return t
	}
	if time.Since(s.failed[oid]) < askAgain {
		return nil
	}
	infos, err := s.ask([]uint32{oid})
	if len(infos) == 0 || err != nil {
		if len(s.failed) > maxUserTypes {
			clear(s.failed)
		}
		s.failed[oid] = time.Now()
		return nil
	}
	s.learn(infos)
	return s.state.Load().infos[oid]
}

// resolve makes a type known, and what it is an array of or a domain over.
func (s *typeSet) resolve(oid uint32) {
	if s == nil {
		return
	}
	for range 16 {
		t := s.info(oid)
		if t == nil {
			return
		}
		oid = t.Elem + t.Base // one of them is 0
	}
}

// again is info for a type whose description turned out to be out of date.
func (s *typeSet) again(oid uint32) *TypeInfo {
	s.update(func(n *typeState) { delete(n.infos, oid) })
	return s.info(oid)
}

// name is a type's name; ok is false for one that is not known.
func (s *typeSet) name(oid uint32) (n typeKey, ok bool) {
	if name, ok := builtinTypeName(oid); ok {
		return typeKey{"pg_catalog", strings.ToLower(name)}, true
	}
	if t := s.info(oid); t != nil {
		return typeKey{t.Schema, t.Name}, true
	}
	return n, false
}

// adapter is that of a Go type for a type, nil when there is none. oid 0 is any type.
func (s *typeSet) adapter(goType reflect.Type, oid uint32) *typeAdapter {
	a := s.current().adapters[goType]
	if a == nil || oid == 0 {
		return a
	}
	if name, ok := s.name(oid); ok && a.names[name] {
		return a
	}
	return nil
}

// isRegistered reports whether a Go type stands for a type: its values are asked for as text.
func (s *typeSet) isRegistered(oid uint32) bool {
	st := s.current()
	if len(st.byName) == 0 {
		return false
	}
	if name, ok := builtinTypeName(oid); ok {
		return st.byName[typeKey{"pg_catalog", strings.ToLower(name)}] != nil
	}
	return false // of the database's own types all are
}
