package sqltest_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/sqltest"
)

// proxied returns a proxy and a connection through it.
func proxied(t *testing.T) (*sqltest.Fault, *pgconn.PgConn) {
	t.Helper()
	in := sqltest.Server(t)
	f := in.Fault(t)
	return f, throughProxy(t, f)
}

// throughProxy connects without TLS, so that the proxy sees messages on any server.
func throughProxy(t *testing.T, f *sqltest.Fault) *pgconn.PgConn {
	t.Helper()
	config, err := pgconn.ParseConfig(f.DSN(sqltest.Server(t).DSN("")))
	if err != nil {
		t.Fatal(err)
	}
	config.TLSConfig, config.Fallbacks = nil, nil
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func ask(t *testing.T, conn *pgconn.PgConn, sql string) (string, error) {
	t.Helper()
	r, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		return "", err
	}
	return string(r[0].Rows[0][0]), nil
}

func TestFaultCountsRoundTripsAndMessages(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	before := f.RoundTrips()
	if got, err := ask(t, conn, "select 'a'"); got != "a" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if n := f.RoundTrips() - before; n != 1 {
		t.Errorf("a simple query took %d round trips, want 1", n)
	}
	before = f.RoundTrips()
	if _, err := ask(t, conn, "select nothing"); err == nil {
		t.Error("a column that does not exist can be selected")
	}
	if n := f.RoundTrips() - before; n != 1 {
		t.Errorf("a refused query took %d round trips, want 1: the error and what follows it are one answer", n)
	}
	passed := f.Traffic()[0]
	if passed.Frontend['Q'] != 2 || passed.Frontend[sqltest.StartupPacket] != 1 || passed.Backend['E'] != 1 || passed.Backend['Z'] != 3 {
		t.Errorf("traffic = %v", passed)
	}
}

func TestFaultBreaksTheConnectionAtTheNthMessage(t *testing.T) {
	t.Parallel()
	isCut := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
	isReset := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
	tests := []struct {
		name  string
		rule  sqltest.Rule
		is    func(error) bool
		lived int // queries that succeed
	}{
		{"before a query", sqltest.Rule{Type: 'P', Nth: 2}, isCut, 1},
		{"after a query", sqltest.Rule{Type: 'P', Nth: 2, Do: sqltest.ActReset, After: true}, isReset, 1},
		{"before an answer", sqltest.Rule{Side: sqltest.Backend, Type: 'D'}, isCut, 0},
		{"after an answer", sqltest.Rule{Side: sqltest.Backend, Type: 'Z', After: true}, isCut, 1},
		{"inside an answer", sqltest.Rule{Side: sqltest.Backend, Type: 'D', Do: sqltest.ActTruncate, Offset: 8}, isCut, 0},
		{"reset", sqltest.Rule{Do: sqltest.ActReset}, isReset, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, conn := proxied(t)
			hit := f.On(tt.rule)
			lived, err := 0, error(nil)
			for ; err == nil; lived++ {
				err = conn.ExecParams(t.Context(), "select 1", nil, nil, nil, nil).Read().Err
			}
			if lived--; lived != tt.lived || !tt.is(err) {
				t.Errorf("after %d queries: %v; want %d", lived, err, tt.lived)
			}
			<-hit
		})
	}
}

func TestFaultFreezesAndThaws(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	frozen := f.On(sqltest.Rule{Side: sqltest.Backend, Type: 'Z', Do: sqltest.ActFreeze})
	answer := make(chan string)
	go func() {
		got, err := ask(t, conn, "select 'late'")
		if err != nil {
			got = err.Error()
		}
		answer <- got
	}()
	<-frozen
	select {
	case got := <-answer:
		t.Errorf("frozen, and yet the answer is %q", got)
	default:
	}
	f.Thaw()
	if got := <-answer; got != "late" {
		t.Errorf("after the thaw: %q", got)
	}
}

func TestFaultCorruptsOneByte(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	f.On(sqltest.Rule{Side: sqltest.Backend, Type: 'D', Do: sqltest.ActCorrupt, Offset: -1})
	if got, err := ask(t, conn, "select 'ab'"); err != nil || got != "a"+string([]byte{'b' ^ 0xff}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ask(t, conn, "select 'ab'"); err != nil || got != "ab" {
		t.Errorf("the next one: %q, %v", got, err)
	}
}

func TestFaultSlowLinksDeliverAll(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	for _, side := range []sqltest.Side{sqltest.Frontend, sqltest.Backend} {
		f.Latency(side, time.Millisecond)
		f.Bandwidth(side, 1_000_000)
	}
	for range 2 {
		if got, err := ask(t, conn, "select repeat('x', 20000)"); len(got) != 20000 || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		f.Bandwidth(sqltest.Backend, 0)
	}
}

func TestFaultCutsAndResetsOnDemand(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	f.Cut()
	if _, err := ask(t, conn, "select 1"); err == nil {
		t.Error("the connection outlived Cut")
	}
	again := throughProxy(t, f)
	f.Reset()
	if _, err := ask(t, again, "select 1"); err == nil {
		t.Error("the connection outlived Reset")
	}
}

func TestFaultHoldsAMessage(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	canceled := make(chan struct{})
	f.On(sqltest.Rule{Type: 'Q', Do: sqltest.ActHold, Until: canceled})
	answered := make(chan error)
	go func() {
		_, err := ask(t, conn, "select 'a'")
		answered <- err
	}()
	if err := conn.CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(canceled) // the server has told the session
	if err := <-answered; err != nil {
		t.Errorf("the cancel request has not overtaken the statement: %v", err)
	}
}

func TestFaultRefusesConnectionsAndForgetsRules(t *testing.T) {
	t.Parallel()
	f, conn := proxied(t)
	f.Refuse(true)
	if canConnect(f.DSN(sqltest.Server(t).TCP(""))) {
		t.Error("a connection was let through")
	}
	f.On(sqltest.Rule{Type: 'Q'})
	if n := f.Disarm(); n != 1 {
		t.Errorf("%d rules were forgotten, want 1", n)
	}
	if got, err := ask(t, conn, "select 'a'"); got != "a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	f.Refuse(false)
	throughProxy(t, f)
}

func TestFaultNamesSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for want, set := range map[string]func(f *sqltest.Fault){
		"no side 7":           func(f *sqltest.Fault) { f.On(sqltest.Rule{Side: 7}) },
		"message -1":          func(f *sqltest.Fault) { f.On(sqltest.Rule{Nth: -1}) },
		"no action 77":        func(f *sqltest.Fault) { f.On(sqltest.Rule{Do: 77}) },
		"needs Until":         func(f *sqltest.Fault) { f.On(sqltest.Rule{Do: sqltest.ActHold}) },
		"-5 bytes a second":   func(f *sqltest.Fault) { f.Bandwidth(sqltest.Frontend, -5) },
		"a latency of -1s":    func(f *sqltest.Fault) { f.Latency(sqltest.Backend, -time.Second) },
		"there is no side -1": func(f *sqltest.Fault) { f.Latency(-1, time.Second) },
	} {
		r := &recorder{TB: t}
		f := sqltest.NewFault(fataler{r}, "tcp", "127.0.0.1:1")
		func() {
			defer func() { recover() }()
			set(f)
		}()
		if got := r.end(); !strings.Contains(got, want) {
			t.Errorf("reported %q, want %q in it", got, want)
		}
	}
}
