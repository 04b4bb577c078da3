package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// Session is a server process and what it does, as pg_stat_activity shows it. Of sessions of other users a role without
// pg_read_all_stats sees little: times are nil and texts empty then.
type Session struct {
	PID             int32
	LeaderPID       int32  // of the session whose parallel worker it is, or 0
	Database        string // "" of processes that have none
	User            string
	Application     string
	Client          string // address, "" over a unix socket
	Backend         string // "client backend", "autovacuum worker", …
	State           string // active, idle, idle in transaction, …; "" of background processes
	WaitEventType   string // what it waits for: Lock, IO, Client, …; "" while it does not
	WaitEvent       string
	Query           string // the one that runs, or the last one
	BackendStart    *time.Time
	TransactionFrom *time.Time // nil outside of a transaction
	QueryFrom       *time.Time // when Query began
	StateFrom       *time.Time // when State became what it is
	BlockedBy       []int32    // sessions that hold, or wait ahead of it for, a lock that it waits for; 0 is a prepared transaction
}

// ActivityOptions are the options of [ListActivity].
type ActivityOptions struct {
	AllDatabases bool // not just the current one
	Background   bool // the server's own processes too
	Own          bool // the session that asks, too
}

const sessionColumns = `
       s.pid,
       coalesce(s.leader_pid, 0) as leader_pid,
       coalesce(s.datname, '') as database,
       coalesce(s.usename, '') as user,
       coalesce(s.application_name, '') as application,
       coalesce(pg_catalog.host(s.client_addr), '') as client,
       coalesce(s.backend_type, '') as backend,
       coalesce(s.state, '') as state,
       coalesce(s.wait_event_type, '') as wait_event_type,
       coalesce(s.wait_event, '') as wait_event,
       coalesce(s.query, '') as query,
       s.backend_start,
       s.xact_start as transaction_from,
       s.query_start as query_from,
       s.state_change as state_from,
       pg_catalog.pg_blocking_pids(s.pid) as blocked_by`

var activityQuery = qualified(`
select` + sessionColumns + `
from pg_catalog.pg_stat_activity s
where ($1::pg_catalog.bool or s.datname = pg_catalog.current_database() or ($2::pg_catalog.bool and s.datname is null))
  and ($2::pg_catalog.bool or s.backend_type = 'client backend')
  and ($3::pg_catalog.bool or s.pid <> pg_catalog.pg_backend_pid())
order by s.backend_start, s.pid`)

// ListActivity returns what the sessions of clients do in the current database, the oldest first.
func ListActivity(ctx context.Context, q ext.Querier, o ActivityOptions) ([]Session, error) {
	sessions, err := query[Session](ctx, q, activityQuery, o.AllDatabases, o.Background, o.Own)
	if err != nil {
		return nil, fmt.Errorf("admin: list activity: %w", err)
	}
	return sessions, nil
}

// CancelBackend cancels what a session runs now, as a cancelled context does, and reports whether there is such a session; its own
// it leaves alone. It needs to be of the same role, or pg_signal_backend.
func CancelBackend(ctx context.Context, q ext.Querier, pid int32) (bool, error) {
	return signalBackend(ctx, q, "cancel", "pg_catalog.pg_cancel_backend($1::pg_catalog.int4)", pid)
}

// TerminateBackend ends a session, and reports whether there was one; its own it leaves alone. With wait it returns when the
// session is gone, and reports false where it is not by then. It needs to be of the same role, or pg_signal_backend.
func TerminateBackend(ctx context.Context, q ext.Querier, pid int32, wait time.Duration) (bool, error) {
	milliseconds := max(0, wait.Milliseconds())
	if wait > 0 && milliseconds == 0 {
		milliseconds = 1
	}
	return signalBackend(ctx, q, "terminate", "pg_catalog.pg_terminate_backend($1::pg_catalog.int4, $2::pg_catalog.int8)", pid, milliseconds)
}

// signalBackend calls a function for one process. Only CASE makes sure that the conditions come first: in WHERE the server may call
// the function for any row.
func signalBackend(ctx context.Context, q ext.Querier, verb, call string, args ...any) (bool, error) {
	sent, err := value[bool](ctx, q, qualified(`
select case when $1::pg_catalog.int4 = pg_catalog.pg_backend_pid() then false
            when exists (select from pg_catalog.pg_stat_activity s where s.pid = $1::pg_catalog.int4) then `+call+`
            else false end`), args...)
	if err != nil {
		return false, fmt.Errorf("admin: %s backend %d: %w", verb, args[0], err)
	}
	return sent, nil
}
