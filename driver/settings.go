package driver

// The settings with a fixed choice of values. The zero value of each type is its default, and String gives the word
// that a DSN uses.

// BeginMode says when the BEGIN of a transaction is sent. What the server dates from there, now() and the snapshot of
// REPEATABLE READ, starts with it: in a BEGIN that travels with the first statement, not at BeginTx but there. An error of
// such a BEGIN is the first statement's; nothing more is sent in the transaction then. An empty one sends nothing at all.
type BeginMode string

// The values of the setting begin.
const (
	BeginAuto  BeginMode = ""      // with the first statement on a connection used within the last second, else at once
	BeginEager BeginMode = "eager" // at once, in a round trip of its own
	BeginLazy  BeginMode = "lazy"  // always with the first statement
)

// String is the word used in a DSN.
func (m BeginMode) String() string { return orDefault(string(m), "auto") }

// Compat names the driver whose results Scan(*any) and sql.Scanner see.
type Compat string

// The values of the setting compat.
const (
	CompatPgx Compat = ""   // as pgx/stdlib
	CompatPq  Compat = "pq" // as lib/pq, with its default of sslmode=require
)

// String is the word used in a DSN.
func (m Compat) String() string { return orDefault(string(m), "pgx") }

// InfinityMode says what becomes of infinite dates and timestamps where the Go value has none.
type InfinityMode string

// The values of the setting infinity.
const (
	InfinityError InfinityMode = ""      // an error that names the column
	InfinityClamp InfinityMode = "clamp" // the earliest or latest time that PostgreSQL can hold
)

// String is the word used in a DSN.
func (m InfinityMode) String() string { return orDefault(string(m), "error") }

// ResetPolicy says what is undone when a connection is taken from the pool again.
type ResetPolicy string

// The values of the setting reset.
const (
	ResetTx      ResetPolicy = ""        // a transaction that was left open is rolled back
	ResetNone    ResetPolicy = "none"    // nothing; a connection left in a transaction is closed
	ResetSession ResetPolicy = "session" // also session settings, the role, cursors, advisory locks and LISTEN; temporary tables stay
	ResetDiscard ResetPolicy = "discard" // DISCARD ALL, prepared statements included
)

// String is the word used in a DSN.
func (m ResetPolicy) String() string { return orDefault(string(m), "tx") }

// Pooler says what stands between the driver and the server. With [PoolerTransaction] no statement has a name on the
// server and each is complete in one request, so that nothing depends on the session; reset=session and reset=discard
// are refused, and helpers that need a session of their own (LISTEN, session-level locks) refuse by
// [Conn.RequireSession]. SET, LISTEN and temporary tables in a program's own SQL text act on whatever session
// the pooler gives, and stay there for other clients.
type Pooler string

// The values of the setting pooler.
const (
	PoolerNone        Pooler = ""            // nothing
	PoolerSession     Pooler = "session"     // a pooler that gives each client a server connection of its own
	PoolerTransaction Pooler = "transaction" // a pooler that may change the server connection after each transaction
)

// String is the word used in a DSN.
func (m Pooler) String() string { return orDefault(string(m), "none") }

// RowsClose says what closing Rows early does.
type RowsClose string

// The values of the setting rows_close.
const (
	RowsCloseDrain  RowsClose = ""       // reads the rest, so that the statement takes its full effect
	RowsCloseCancel RowsClose = "cancel" // cancels the statement, whose effects may be lost
)

// String is the word used in a DSN.
func (m RowsClose) String() string { return orDefault(string(m), "drain") }

// Placeholder says how arguments are marked in SQL text.
type Placeholder string

// The values of the setting placeholder.
const (
	PlaceholderNative Placeholder = ""       // $1, $2
	PlaceholderFormat Placeholder = "format" // %s, %(name)s, %%
)

// String is the word used in a DSN.
func (m Placeholder) String() string { return orDefault(string(m), "native") }

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
