package mock

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// Options say what a mock is like. The zero value is a mock whose expectations are regular expressions, met in order, and a
// driver with its default settings.
type Options struct {
	// QueryMatcher compares the SQL text of expectations with statements; nil is sqlmock.QueryMatcherRegexp.
	QueryMatcher sqlmock.QueryMatcher

	// Config, where it is set, may change the driver's settings (compat=pq, hooks, …) before the first connection.
	Config func(*driver.Config)

	// Unmet leaves expectations that were not met to ExpectationsWereMet: otherwise they fail the test at its end.
	Unmet bool
}

// Mock holds what is expected of a handle. It embeds the go-sqlmock that keeps the order: expectations made through the
// embedded Sqlmock, by helpers written for go-sqlmock, stand in one row with those of this package. Its methods may be
// called by several goroutines; those of the embedded Sqlmock only while no statement runs.
type Mock struct {
	sqlmock.Sqlmock
	t       testing.TB
	options Options
	engine  engine
	fake    *sqltest.Fake
	pool    *driver.Connector
	rows    *rowReader

	userTypes []string            // under mu, by OID from firstUserOID
	tables    map[string][]column // under mu, of Table

	mu struct {
		sync.Mutex
		expected []*expectation
		anyOrder int // group that new expectations belong to, 0: none
		groups   int
		call     *call        // that the engine is asked about
		found    *expectation // of ours, that the engine has matched
		plain    bool         // whether expectations of the embedded Sqlmock may match now
		pings    bool         // ExpectPing or ExpectClose was called
		closes   bool
		sessions map[uint32]*session
		failed   []string
		ended    bool
	}
}

// engine is what go-sqlmock's connection can do.
type engine interface {
	sqldriver.Conn
	sqldriver.Pinger
	sqldriver.ExecerContext
	sqldriver.QueryerContext
	sqldriver.ConnPrepareContext
}

// New returns a handle whose connections are the mock's, and the mock. At the end of the test the handle is closed, and
// what was expected and did not happen fails the test. A call that was not expected fails it at once, and returns an error
// that names the nearest expectation.
func New(t testing.TB) (*sql.DB, *Mock) {
	t.Helper()
	return NewWith(t, Options{})
}

// NewWith is New with options.
func NewWith(t testing.TB, o Options) (*sql.DB, *Mock) {
	t.Helper()
	if o.QueryMatcher == nil {
		o.QueryMatcher = sqlmock.QueryMatcherRegexp
	}
	m := &Mock{t: t, options: o}
	m.mu.sessions = map[uint32]*session{}
	db, sm, err := sqlmock.New(
		sqlmock.QueryMatcherOption(sqlmock.QueryMatcherFunc(m.match)),
		sqlmock.ValueConverterOption(converter{}), sqlmock.MonitorPingsOption(true))
	if err != nil {
		t.Fatalf("mock: %v", err)
	}
	db.Close() // only the connection behind it is used; that it was not expected to close is as well
	m.Sqlmock, m.engine = sm, sm.(engine)
	m.rows = newRowReader()
	m.fake = sqltest.NewFakeWith(t, sqltest.FakeOptions{Every: sqltest.StepFunc(m.serve)})
	c := m.connector()
	m.pool = c.real
	handle := sql.OpenDB(c)
	t.Cleanup(func() { m.end(handle) })
	return handle, m
}

// connector makes real connections of the driver to the fake server.
func (m *Mock) connector() *connector {
	cfg := driver.DefaultConfig()
	cfg.Hosts = []driver.HostSpec{{Host: "mock", Port: 5432}}
	cfg.User, cfg.Database, cfg.SSLMode = "mock", "mock", "disable"
	cfg.Lookup = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return m.fake.Dial(ctx, network, addr)
	}
	cfg.Begin = driver.BeginEager // so that ExpectBegin is met by Begin itself
	if m.options.Config != nil {
		m.options.Config(cfg)
	}
	return &connector{mock: m, real: driver.NewConnector(cfg)}
}

// ExpectationsWereMet returns an error that lists what was expected and did not happen.
func (m *Mock) ExpectationsWereMet() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var unmet []string
	for _, e := range m.mu.expected {
		if !e.done {
			unmet = append(unmet, e.String())
		}
	}
	if err := m.Sqlmock.ExpectationsWereMet(); err != nil && (len(unmet) == 0 || !strings.Contains(err.Error(), marker)) {
		unmet = append(unmet, err.Error())
	}
	if len(unmet) == 0 {
		return nil
	}
	return fmt.Errorf("mock: expected, and did not happen:\n\t%s", strings.Join(unmet, "\n\t"))
}

// AnyOrder lets what expect declares happen in any order, as one block in the row of expectations: all of it after what was
// declared before, and before what is declared later.
func (m *Mock) AnyOrder(expect func()) {
	m.mu.Lock()
	m.mu.groups++
	m.mu.anyOrder = m.mu.groups
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.mu.anyOrder = 0
		m.mu.Unlock()
	}()
	expect()
}

// refuse fails the test where what is expected makes no sense.
func (m *Mock) refuse(ok bool, format string, args ...any) {
	m.t.Helper()
	if !ok {
		m.t.Fatalf("mock: "+format, args...)
	}
}

// fail reports a failure to the test, at once while it runs.
func (m *Mock) fail(format string, args ...any) error {
	err := fmt.Errorf("mock: "+format, args...)
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.mu.ended {
		m.t.Errorf("%v", err)
	}
	return err
}

// end closes the handle and looks what is missing.
func (m *Mock) end(db io.Closer) {
	err := db.Close()
	if err != nil && !errors.Is(err, sql.ErrConnDone) {
		m.t.Errorf("mock: close the handle: %v", err)
	}
	m.rows.close()
	m.mu.Lock()
	m.mu.ended = true
	m.mu.Unlock()
	if m.options.Unmet {
		return
	}
	if err := m.ExpectationsWereMet(); err != nil && !m.t.Failed() {
		m.t.Errorf("%v", err)
	}
}
