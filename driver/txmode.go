package driver

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
)

// TxMode are the characteristics of a transaction. Those that are not set are the server's defaults
// (default_transaction_isolation and the like).
type TxMode struct {
	Isolation  sql.IsolationLevel // LevelSnapshot is REPEATABLE READ; LevelWriteCommitted and LevelLinearizable are refused
	ReadOnly   *bool              // READ ONLY or READ WRITE
	Deferrable *bool              // it has an effect on serializable transactions that only read
}

type txModeKey struct{}

// txModeRequest is a TxMode on its way to BeginTx.
type txModeRequest struct {
	mode  TxMode
	taken bool
}

// WithTxMode returns a context for one call of BeginTx, which begins a transaction of that mode: it can say READ WRITE and
// DEFERRABLE, which [sql.TxOptions] cannot. What the TxOptions of the call ask for wins. taken reports whether this driver
// has seen the mode: another driver, a mock, or a wrapper without BeginTx drops it.
func WithTxMode(ctx context.Context, mode TxMode) (_ context.Context, taken func() bool) {
	r := &txModeRequest{mode: mode}
	return context.WithValue(ctx, txModeKey{}, r), func() bool { return r.taken }
}

// txMode is the mode that a call of BeginTx asks for, by its options, its context and the session, in this order.
func (c *Conn) txMode(ctx context.Context, opts sqldriver.TxOptions) TxMode {
	mode := TxMode{Isolation: sql.IsolationLevel(opts.Isolation)}
	if opts.ReadOnly {
		mode.ReadOnly = &opts.ReadOnly
	}
	if r, ok := ctx.Value(txModeKey{}).(*txModeRequest); ok {
		r.taken = true
		mode = mode.or(r.mode)
	}
	if c.manual != nil {
		mode = mode.or(c.manual.mode)
	}
	return mode
}

// or fills what m does not set from other.
func (m TxMode) or(other TxMode) TxMode {
	if m.Isolation == sql.LevelDefault {
		m.Isolation = other.Isolation
	}
	if m.ReadOnly == nil {
		m.ReadOnly = other.ReadOnly
	}
	if m.Deferrable == nil {
		m.Deferrable = other.Deferrable
	}
	return m
}

// Clauses are the words of BEGIN and SET TRANSACTION for the mode, "isolation level serializable read only": "" for the
// zero TxMode. An isolation level that PostgreSQL does not have is an error.
func (m TxMode) Clauses() (string, error) {
	var clauses string
	switch m.Isolation {
	case sql.LevelDefault:
	case sql.LevelReadUncommitted:
		clauses = " isolation level read uncommitted"
	case sql.LevelReadCommitted:
		clauses = " isolation level read committed"
	case sql.LevelRepeatableRead, sql.LevelSnapshot:
		clauses = " isolation level repeatable read"
	case sql.LevelSerializable:
		clauses = " isolation level serializable"
	default:
		return "", fmt.Errorf("driver: begin: PostgreSQL has no isolation level %s", m.Isolation)
	}
	clauses += choose(m.ReadOnly, " read only", " read write") + choose(m.Deferrable, " deferrable", " not deferrable")
	return clauses[min(1, len(clauses)):], nil
}

// begin is the BEGIN for the mode. lib/pq says READ WRITE where nothing was said.
func (m TxMode) begin(compat Compat) (string, error) {
	if m.ReadOnly == nil && compat == CompatPq {
		m.ReadOnly = new(bool)
	}
	clauses, err := m.Clauses()
	if clauses != "" {
		clauses = " " + clauses
	}
	return "begin" + clauses, err
}

// choose is "" where nothing was chosen.
func choose(choice *bool, yes, no string) string {
	switch {
	case choice == nil:
		return ""
	case *choice:
		return yes
	}
	return no
}
