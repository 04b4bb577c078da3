package mock

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
)

// call is something that happens, for which an expectation is looked for.
type call struct {
	kind  kind
	sql   string
	named []sqldriver.NamedValue // as database/sql gives them
	args  []any                  // without settings
	types []uint32               // of the args where the server knows them
	table string
	names []string // columns of a COPY, channels of LISTEN
	lost  bool     // only where the connection is to be lost ahead of it
}

// prepared is the call without what is not for the server.
func (k call) prepared() call {
	for len(k.named) > 0 && driver.IsSetting(k.named[0].Value) {
		if _, holdsArgs := k.named[0].Value.(pgx.QueryRewriter); holdsArgs {
			break
		}
		k.named = k.named[1:]
	}
	k.args = make([]any, len(k.named))
	for i, nv := range k.named {
		k.args[i] = nv.Value
	}
	return k
}

func (k call) String() string {
	e := expectation{kind: k.kind, sql: k.sql, table: k.table, names: k.names}
	if len(k.args) > 0 {
		e.args = k.args
	}
	return e.String()
}

// take finds the expectation that k meets, which is met then. A call that nobody expects fails the test.
func (m *Mock) take(k call) (*expectation, error) {
	m.mu.Lock()
	e, complaint := m.ask(k)
	m.mu.Unlock()
	if e == nil {
		return nil, m.fail("%s", complaint)
	}
	return e, nil
}

// tryTake is take for a call that need not be expected.
func (m *Mock) tryTake(k call) *expectation {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, _ := m.ask(k)
	return e
}

// ask has go-sqlmock find the expectation; m.mu is held. First among those of this package, which are Execs to go-sqlmock
// whatever they are, and among its own Execs; then among its own of the kind.
func (m *Mock) ask(k call) (_ *expectation, complaint string) {
	m.mu.call, m.mu.found = &k, nil
	m.mu.plain = k.kind == kindExec || k.kind == kindCommand || k.kind == kindStatement
	values := namedValues(k.args)
	result, err := m.engine.ExecContext(context.Background(), k.sql, values)
	if e := (*expectation)(nil); errors.As(err, &e) {
		e = m.mu.found
		e.done = true
		close(e.met)
		return e, ""
	}
	plain := &expectation{mock: m, kind: k.kind, sql: k.sql, result: result}
	m.mu.plain = true
	if isComplaint(err) {
		err = m.askPlain(k, values, plain)
	}
	if isComplaint(err) {
		return nil, m.complain(k, err)
	}
	plain.err = err
	return plain, ""
}

// askPlain looks among go-sqlmock's own expectations of the kind.
func (m *Mock) askPlain(k call, values []sqldriver.NamedValue, found *expectation) (err error) {
	if k.lost {
		return errors.New(notPlain)
	}
	switch k.kind {
	case kindQuery, kindStatement:
		found.plainRows, err = m.engine.QueryContext(context.Background(), k.sql, values)
	case kindPrepare:
		_, err = m.engine.PrepareContext(context.Background(), k.sql)
	case kindBegin:
		_, err = m.engine.Begin() //nolint:staticcheck // the deprecated method is go-sqlmock's plain one
	case kindCommit:
		err = m.engine.(sqldriver.Tx).Commit()
	case kindRollback:
		err = m.engine.(sqldriver.Tx).Rollback()
	case kindPing:
		err = m.engine.Ping(context.Background())
	case kindClose:
		err = m.engine.Close()
	default:
		err = errors.New("it was not expected")
	}
	return err
}

// complaints are what go-sqlmock says of a call that it does not expect.
var complaints = []string{
	"was not expected", "arguments do not match", "must return a database/sql/driver", "could not match actual sql",
	"does not equal to expected", notPlain,
}

const notPlain = "mock: expects another kind of call"

func isComplaint(err error) bool {
	return err != nil && slices.ContainsFunc(complaints, func(c string) bool { return strings.Contains(err.Error(), c) })
}

// match is go-sqlmock's QueryMatcher; m.mu is held. The texts of this package's expectations name them by number.
func (m *Mock) match(expected, actual string) error {
	id, ours := strings.CutPrefix(expected, marker)
	if !ours {
		if !m.mu.plain {
			return errors.New(notPlain)
		}
		return m.options.QueryMatcher.Match(expected, actual)
	}
	i, _ := strconv.Atoi(id)
	e := m.mu.expected[i]
	candidates := []*expectation{e}
	if e.group != 0 {
		candidates = slices.DeleteFunc(slices.Clone(m.mu.expected), func(c *expectation) bool { return c.group != e.group || c.done })
	}
	var first error
	for _, c := range candidates {
		err := m.mismatch(c, m.mu.call)
		if err == nil {
			m.mu.found = c
			return nil
		}
		first = errors.Join(first, err)
	}
	return fmt.Errorf("could not match actual sql: %w", first)
}

// mismatch says why a call does not meet an expectation, nil when it does.
func (m *Mock) mismatch(e *expectation, k *call) error {
	statement := e.kind == kindExec || e.kind == kindQuery
	switch {
	case e.kind != k.kind && !(k.kind == kindStatement && statement):
		return errors.New("it is another kind of call")
	case k.lost && e.fault != BeforeWrite:
		return errors.New("the connection is not to be lost")
	case e.kind == kindCopyIn && !sameTable(e.table, k.table):
		return fmt.Errorf("the table is %s, want %s", k.table, e.table)
	case e.kind == kindCopyIn && k.names != nil && !e.copied.any && !slices.Equal(e.names, k.names):
		return fmt.Errorf("the columns are (%s), want (%s)", strings.Join(k.names, ", "), strings.Join(e.names, ", "))
	case e.kind == kindListen && !slices.Equal(slices.Sorted(slices.Values(e.names)), slices.Sorted(slices.Values(k.names))):
		return fmt.Errorf("the channels are %s, want %s", strings.Join(k.names, ", "), strings.Join(e.names, ", "))
	case e.sql != "":
		if err := m.options.QueryMatcher.Match(e.sql, k.sql); err != nil {
			return err
		}
	}
	if e.args == nil || !statement {
		return nil
	}
	return differArgs(e, k)
}

// complain says that nobody expects k, and what comes nearest.
func (m *Mock) complain(k call, plain error) string {
	text := "unexpected " + k.String()
	var next, nearest *expectation
	best := -1
	for _, e := range m.mu.expected {
		if e.done {
			continue
		}
		if next == nil {
			next = e
		}
		if score := m.score(e, &k); score > best {
			best, nearest = score, e
		}
	}
	switch {
	case next == nil && m.Sqlmock.ExpectationsWereMet() == nil:
		return text + "\n\tnothing more is expected"
	case next == nil:
		return text + "\n\t" + plain.Error()
	}
	text += "\n\tthe nearest expectation: " + nearest.String()
	if err := m.mismatch(nearest, &k); err != nil {
		text += "\n\tthe difference: " + strings.ReplaceAll(err.Error(), "\n", "\n\t\t")
	}
	if next != nearest && (next.group == 0 || next.group != nearest.group) {
		text += "\n\twhat comes first: " + next.String()
	}
	return text
}

// score says how near an expectation comes to a call.
func (m *Mock) score(e *expectation, k *call) int {
	if e.kind != k.kind && !(k.kind == kindStatement && (e.kind == kindExec || e.kind == kindQuery)) {
		if e.sql != "" && m.options.QueryMatcher.Match(e.sql, k.sql) == nil {
			return 1 // Exec for Query, say
		}
		return 0
	}
	score := 2
	if e.sql != "" && m.options.QueryMatcher.Match(e.sql, k.sql) == nil || e.table != "" && sameTable(e.table, k.table) {
		score += 1000
		for i := range min(len(e.args), len(k.args)) {
			if differArg(e, k, i) == "" {
				score++
			}
		}
	}
	return score
}

func namedValues(args []any) []sqldriver.NamedValue {
	values := make([]sqldriver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: plainValue(arg)}
	}
	return values
}

// sameTable compares names of tables as they may be written: t, "t", public.t.
func sameTable(a, b string) bool {
	return foldTable(a) == foldTable(b)
}

// foldTable takes the quotes off the parts of a name that need none.
func foldTable(name string) string {
	return strings.ReplaceAll(name, `"`, "")
}
