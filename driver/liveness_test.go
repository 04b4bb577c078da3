package driver_test

import (
	"context"
	"database/sql"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// privateServer starts a server of the test's own.
func privateServer(t testing.TB, o sqltest.StartOptions) *sqltest.Instance {
	t.Helper()
	sqltest.Server(t) // skips without PostgreSQL
	in, err := sqltest.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

// openDSN returns a pool on dsn.
func openDSN(t testing.TB, dsn string, change func(*driver.Config)) *sql.DB {
	t.Helper()
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cfg)
	}
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	return db
}

// relay copies between the connections of a listener and the server, and tells what clients write.
type relay struct {
	listener net.Listener
	network  string
	address  string
	fromHere chan int      // bytes of every write of a client
	conns    chan net.Conn // the sockets towards clients, in the order of their connections
}

func newRelay(t testing.TB, l net.Listener, network, address string) *relay {
	t.Helper()
	r := &relay{listener: l, network: network, address: address, fromHere: make(chan int, 10000), conns: make(chan net.Conn, 100)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				client.Close()
				continue
			}
			t.Cleanup(func() { client.Close(); server.Close() })
			r.conns <- client
			go io.Copy(client, server)
			go r.listen(client, server)
		}
	}()
	return r
}

func (r *relay) listen(client, server net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		r.fromHere <- n
		server.Write(buf[:n])
	}
}

// wrote is how many bytes clients have written since the last call.
func (r *relay) wrote() (n int) {
	for {
		select {
		case m := <-r.fromHere:
			n += m
		default:
			return n
		}
	}
}

// hangUp ends the side of a connection that faces the client: with FIN, or with RST where there are bytes that nobody
// will read.
func hangUp(t *testing.T, conn net.Conn, reset bool) {
	t.Helper()
	switch c := conn.(type) {
	case *net.TCPConn:
		if reset {
			c.SetLinger(0)
			c.Close()
			return
		}
		c.CloseWrite()
	case *net.UnixConn:
		if reset {
			c.Close()
			return
		}
		c.CloseWrite()
	}
}

// TestLostIdleConnectionsAreReplacedWithoutAWord cuts connections while they idle. The next use takes another connection,
// and sends nothing on the lost one.
func TestLostIdleConnectionsAreReplacedWithoutAWord(t *testing.T) {
	t.Parallel()
	if !canPeek {
		t.Skip("the driver cannot look at a socket on this system")
	}
	in := privateServer(t, sqltest.StartOptions{TLS: true})
	cfg, err := driver.ParseConfig(in.TCP("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", net.JoinHostPort(cfg.Hosts[0].Host, digits(cfg.Hosts[0].Port))
	admin := openDSN(t, in.TCP("postgres"), nil)
	for name, tt := range map[string]struct {
		network string
		sslmode string
	}{"TCP": {"tcp", "disable"}, "TLS": {"tcp", "verify-full"}, "a unix socket": {"unix", "disable"}} {
		open := func(t *testing.T, change func(*driver.Config)) (*sql.DB, *relay) {
			listenAt, host := "127.0.0.1:0", driver.HostSpec{}
			if tt.network == "unix" {
				dir := shortDir(t)
				listenAt, host = filepath.Join(dir, ".s.PGSQL.5432"), driver.HostSpec{Host: dir, Port: 5432}
			}
			l, err := net.Listen(tt.network, listenAt)
			if err != nil {
				t.Fatal(err)
			}
			if tt.network == "tcp" {
				host = hostSpec(t, l.Addr().String())
			}
			r := newRelay(t, l, network, address)
			db := openDSN(t, in.TCP("postgres"), func(cfg *driver.Config) {
				cfg.Hosts, cfg.SSLMode = []driver.HostSpec{host}, tt.sslmode
				if change != nil {
					change(cfg)
				}
			})
			db.SetMaxOpenConns(1)
			return db, r
		}
		for how, lose := range map[string]func(t *testing.T, pid int64, conn net.Conn){
			"FIN":   func(t *testing.T, _ int64, conn net.Conn) { hangUp(t, conn, false) },
			"RST":   func(t *testing.T, _ int64, conn net.Conn) { hangUp(t, conn, true) },
			"57P01": func(t *testing.T, pid int64, _ net.Conn) { terminate(t, admin, pid) },
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				db, r := open(t, nil)
				pid := backendPID(t, db)
				c := below(t, db)
				if c.Info().TLS != (name == "TLS") {
					t.Fatalf("TLS is %v", c.Info().TLS)
				}
				r.wrote()
				lose(t, pid, <-r.conns)
				arrived(t, c)
				if got := c.ResetSession(t.Context()); got == nil {
					t.Error("the pool would use the connection again")
				}
				if n := r.wrote(); n != 0 && !(name == "TLS" && n == closeNotify) {
					t.Errorf("%d bytes were sent on the lost connection", n)
				}
				if got := backendPID(t, db); got == pid {
					t.Error("the same backend again")
				}
			})
		}
		t.Run(name+" notifications", func(t *testing.T) {
			t.Parallel()
			var got recorder[driver.Notification]
			db, r := open(t, func(cfg *driver.Config) {
				cfg.OnNotification = func(_ *driver.Conn, n driver.Notification) { got.add(n) }
			})
			pid := backendPID(t, db)
			channel := "c" + digits(uint16(pid))
			mustExec(t, db, "listen "+channel)
			c := below(t, db)
			r.wrote()
			mustExec(t, admin, "select pg_notify($1, 'first')", channel)
			mustExec(t, admin, "select pg_notify($1, 'second')", channel)
			for len(got.all()) < 2 && t.Context().Err() == nil { // the server delivers in its own time
				if err := c.ResetSession(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := r.wrote(); n != 0 {
				t.Errorf("taking notifications sent %d bytes", n)
			}
			if again := backendPID(t, db); again != pid {
				t.Error("the connection was replaced")
			}
		})
	}
}

// closeNotify is the length of the record by which TLS 1.3 says that it is over: an alert of 2 bytes, its type, the tag and
// the header.
const closeNotify = 2 + 1 + 16 + 5

// arrived waits until something is there to be read on an idle connection.
func arrived(t *testing.T, c *driver.Conn) {
	t.Helper()
	for range 2000 {
		if c.HasArrived() {
			c.Pause()
			return
		}
		<-time.After(time.Millisecond)
	}
	t.Fatal("nothing has arrived")
}

// TestMessagesBetweenStatementsAreTaken has the server say things while nobody asks.
func TestMessagesBetweenStatementsAreTaken(t *testing.T) {
	t.Parallel()
	if !canPeek {
		t.Skip("the driver cannot look at a socket on this system")
	}
	var notices recorder[driver.Notice]
	now, said := make(chan struct{}), make(chan struct{})
	answer := sqltest.Reply(
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("n"), DataTypeOID: 23, DataTypeSize: 4, TypeModifier: -1}}},
		&pgproto3.DataRow{Values: [][]byte{[]byte("7")}},
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	simple := driver.QueryOptions{Simple: true}
	db := openFake(t, func(cfg *driver.Config) {
		cfg.OnNotice = func(_ *driver.Conn, n driver.Notice) { notices.add(n) }
	},
		sqltest.ExpectSQL("select 7"), answer,
		sqltest.Await(now),
		sqltest.Reply(
			&pgproto3.NoticeResponse{Severity: "WARNING", Code: "01000", Message: "the collation has changed"},
			&pgproto3.ParameterStatus{Name: "in_hot_standby", Value: "off"},
			&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "off"},
			&pgproto3.NoticeResponse{Severity: "NOTICE", Code: "00000", Message: "bye for now"}),
		sqltest.StepFunc(func(*sqltest.FakeConn) error { close(said); return nil }),
		sqltest.ExpectSQL("select 8"), answer)
	if n := number(t, db, "select 7", simple); n != 7 {
		t.Fatal(n)
	}
	c := below(t, db)
	close(now)
	<-said
	arrived(t, c)
	number(t, db, "select 8", simple)
	var texts []string
	for _, n := range notices.all() {
		texts = append(texts, n.Message)
	}
	if want := []string{"the collation has changed", "bye for now"}; !slices.Equal(texts, want) {
		t.Errorf("notices = %q, want %q", texts, want)
	}
	if c.Info().StandardStrings {
		t.Error("the new value of standard_conforming_strings was not taken")
	}
}

// TestConnectionsWithoutASocketArePinged is about custom dialers: an idle second costs a ping, less than that nothing.
// lateReader is a connection whose reader is held up once, until the deadline of its read has passed.
type lateReader struct {
	net.Conn
	late *atomic.Bool
}

func (l lateReader) SyscallConn() (syscall.RawConn, error) {
	return l.Conn.(syscall.Conn).SyscallConn()
}

func (l lateReader) Read(p []byte) (int, error) {
	if l.late.CompareAndSwap(true, false) {
		return 0, os.ErrDeadlineExceeded
	}
	return l.Conn.Read(p)
}

func TestWhatHasArrivedIsReadByALateReaderToo(t *testing.T) {
	t.Parallel()
	if !canPeek {
		t.Skip("the driver cannot look at a socket on this system")
	}
	var late atomic.Bool
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return lateReader{conn, &late}, err
		}
	})
	conn := one(t, db)
	pid := backendPID(t, conn)
	c := below(t, conn)
	terminate(t, openDB(t), pid)
	arrived(t, c)
	late.Store(true)
	if err := c.ResetSession(t.Context()); err == nil {
		t.Error("the pool would use the connection again")
	}
	if late.Load() {
		t.Error("nothing was read")
	}
}

func TestConnectionsWithoutASocketArePinged(t *testing.T) {
	t.Parallel()
	ping := sqltest.Script{sqltest.ExpectSQL(";"), sqltest.Reply(&pgproto3.EmptyQueryResponse{}, &pgproto3.ReadyForQuery{TxStatus: 'I'})}
	empty := func(sql string) sqltest.Step {
		return sqltest.Script{sqltest.ExpectSQL(sql), sqltest.Reply(&pgproto3.CommandComplete{CommandTag: []byte("SET")}, &pgproto3.ReadyForQuery{TxStatus: 'I'})}
	}
	f := sqltest.NewFake(t,
		sqltest.Script{sqltest.Accept(), empty("set a"), empty("set b"), ping, empty("set c"), sqltest.HangUp()},
		sqltest.Script{sqltest.Accept(), empty("set d")})
	db := openDSN(t, "host=127.0.0.1 user=u dbname=d sslmode=disable", func(cfg *driver.Config) { cfg.Dial = f.Dial })
	db.SetMaxOpenConns(1)
	simple := driver.QueryOptions{Simple: true}
	mustExec(t, db, "set a", simple)
	c := below(t, db)
	c.Backdate(-time.Hour)
	mustExec(t, db, "set b", simple)
	c.Backdate(1100 * time.Millisecond)
	mustExec(t, db, "set c", simple)
	c.Backdate(1100 * time.Millisecond)
	mustExec(t, db, "set d", simple)
}
