package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// Lock is a lock that a session holds or waits for.
type Lock struct {
	PID       int32  // 0: of a prepared transaction
	Kind      string // relation, transactionid, tuple, advisory, …
	Database  string // "" of locks that belong to none
	Object    string // relation with its schema, quoted; key of an advisory lock; transaction; as far as this database knows them
	Mode      string // AccessShareLock, …
	Granted   bool
	FastPath  bool
	WaitStart *time.Time // nil where it is granted
}

// LocksOptions are the options of [ListLocks].
type LocksOptions struct {
	Waiting      bool // only those that are waited for
	AllDatabases bool // not just the current one; objects of others have no name
	Own          bool // those of the session that asks, too
}

var locksQuery = qualified(`
select coalesce(l.pid, 0) as pid,
       l.locktype as kind,
       coalesce(d.datname, '') as database,
       coalesce(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
         case when l.locktype = 'advisory' and l.objsubid = 1 then
                ((l.classid::pg_catalog.int8 * 4294967296) + l.objid::pg_catalog.int8)::pg_catalog.text
              when l.locktype = 'advisory' then l.classid::pg_catalog.text || ', ' || l.objid::pg_catalog.text
              else coalesce(l.transactionid::pg_catalog.text, l.virtualxid, l.relation::pg_catalog.text, l.objid::pg_catalog.text, '') end) as object,
       l.mode, l.granted, l.fastpath as fast_path, l.waitstart as wait_start
from pg_catalog.pg_locks l
left join pg_catalog.pg_database d on d.oid = l.database
left join pg_catalog.pg_class c on c.oid = l.relation and d.datname = pg_catalog.current_database()
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where ($1::pg_catalog.bool is false or not l.granted)
  and ($2::pg_catalog.bool or d.datname is null or d.datname = pg_catalog.current_database())
  and ($3::pg_catalog.bool or l.pid is null or l.pid <> pg_catalog.pg_backend_pid())
order by l.granted, 1, 2, 4, l.mode`)

// ListLocks returns the locks of the current database, those that are waited for first.
func ListLocks(ctx context.Context, q ext.Querier, o LocksOptions) ([]Lock, error) {
	locks, err := query[Lock](ctx, q, locksQuery, o.Waiting, o.AllDatabases, o.Own)
	if err != nil {
		return nil, fmt.Errorf("admin: list locks: %w", err)
	}
	return locks, nil
}

// Blocking is a session, and those that wait for it.
type Blocking struct {
	Session Session // PID 0: a prepared transaction, which ext.RecoverPrepared lists
	Waiting []Blocking
}

// String has a line for each session, those that wait indented below the one that they wait for.
func (b Blocking) String() string {
	var text strings.Builder
	b.write(&text, 0)
	return strings.TrimSuffix(text.String(), "\n")
}

func (b Blocking) write(w *strings.Builder, depth int) {
	s := b.Session
	who := fmt.Sprintf("%d %s (%s) %s: %s", s.PID, s.User, s.Application, s.State, strings.Join(strings.Fields(s.Query), " "))
	if s.PID == 0 {
		who = "a prepared transaction"
	}
	fmt.Fprintf(w, "%s%s\n", strings.Repeat("  ", depth), who)
	for _, waiting := range b.Waiting {
		waiting.write(w, depth+1)
	}
}

var waitingQuery = qualified(`
with s as materialized (
  select` + sessionColumns + `
  from pg_catalog.pg_stat_activity s
)
select s.*
from s
where pg_catalog.cardinality(s.blocked_by) > 0
   or s.pid = any (select pg_catalog.unnest(o.blocked_by) from s o)
order by s.backend_start, s.pid`)

// BlockingChains returns the sessions of the whole server that keep others waiting and wait for none themselves, each with those that
// wait for it, directly or through others: once each, below the one that is nearest to it. Of sessions that wait for each other
// in a circle, which the server is about to break, the oldest comes first.
func BlockingChains(ctx context.Context, q ext.Querier) ([]Blocking, error) {
	sessions, err := query[Session](ctx, q, waitingQuery)
	if err != nil {
		return nil, fmt.Errorf("admin: blocking chains: %w", err)
	}
	return chains(sessions), nil
}

// chains builds the trees.
func chains(sessions []Session) []Blocking {
	known := map[int32]Session{}
	for _, s := range sessions {
		known[s.PID] = s
	}
	for _, s := range sessions { // prepared transactions, and sessions that have ended since
		for _, pid := range s.BlockedBy {
			if _, ok := known[pid]; !ok {
				known[pid] = Session{PID: pid}
				sessions = append(sessions, known[pid])
			}
		}
	}
	shown := map[int32]bool{}
	var roots []Blocking
	for _, s := range sessions {
		if len(s.BlockedBy) == 0 {
			roots = append(roots, chain(s, sessions, shown))
		}
	}
	for _, s := range sessions { // circles
		if !shown[s.PID] {
			roots = append(roots, chain(s, sessions, shown))
		}
	}
	return roots
}

// chain is the tree below a session. A long queue has each session wait for all ahead of it, so that all paths would be too many.
func chain(root Session, sessions []Session, shown map[int32]bool) Blocking {
	below := map[int32][]Session{}
	placed := map[int32]bool{root.PID: true}
	for level := []Session{root}; len(level) > 0; {
		var next []Session
		for _, s := range level {
			shown[s.PID] = true
			for _, other := range sessions {
				if !placed[other.PID] && slices.Contains(other.BlockedBy, s.PID) {
					placed[other.PID] = true
					below[s.PID] = append(below[s.PID], other)
					next = append(next, other)
				}
			}
		}
		level = next
	}
	return hang(root, below)
}

func hang(s Session, below map[int32][]Session) Blocking {
	b := Blocking{Session: s}
	for _, other := range below[s.PID] {
		b.Waiting = append(b.Waiting, hang(other, below))
	}
	return b
}
