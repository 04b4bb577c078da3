package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// poolerVariable has every pool of the tests that can lead through PgBouncer when it is "transaction".
const poolerVariable = "PYCOPG_TEST_POOLER"

// pooled reports whether the tests are to run through PgBouncer.
func pooled() bool { return os.Getenv(poolerVariable) == string(driver.PoolerTransaction) }

// Why a test does not hold behind a pooler that changes the server's session after each transaction.
const (
	byPID      = "it knows connections by the process of their session"
	byKill     = "it ends the process of a session, which is the pooler's to notice"
	byName     = "it expects named statements on the server"
	bySettings = "it changes the session"
)

// unpooled names the tests that are not run through PgBouncer.
var unpooled = map[string]string{
	"TestBackendKilledMidStatementIsNotRetried":      byKill,
	"TestCancelKeepsTheConnection":                   byPID,
	"TestCloseOfThePoolEndsItsBackends":              byPID,
	"TestConnectionKilledWhileIdleIsReplacedUnseen":  byKill,
	"TestCopyInEndsWithItsContext":                   byPID,
	"TestDoReachesTheConnectionOfEveryHandle":        byPID,
	"TestDoReturnsTheFunctionsErrorAsItIs":           byPID,
	"TestExplicitStatements":                         byName,
	"TestInfoTellsServerAndSession":                  byPID,
	"TestLeastRecentlyUsedStatementIsEvicted":        byName,
	"TestOneTextMayMeanTwoStatements":                bySettings,
	"TestPingAsksTheServer":                          byKill,
	"TestPinnedStatementsAreNotEvicted":              byName,
	"TestPollTakesWhatHasArrived":                    "it listens",
	"TestQueryHooksAloneAndOfStatements":             byName,
	"TestQueryHooksTellTheWholeStatement":            byName,
	"TestResetPolicies":                              bySettings,
	"TestResultsLeftOpenThroughPgxCostTheConnection": byPID,
	"TestStalePlanInsideATransactionIsNamed":         byName,
	"TestStatementIsPreparedAfterItsThreshold":       byName,
	"TestStatementOfAPoolWorksOnEveryConnection":     byPID,
	"TestUnlimitedStatements":                        byName,
	"TestVanishedStatementIsPreparedAgain":           byName,
}

// throughPooler leads cfg through PgBouncer in transaction mode, where the test can be run so.
func throughPooler(t testing.TB, cfg *driver.Config) {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	if why, ok := unpooled[name]; ok {
		t.Skipf("not with pooler=transaction: %s", why)
	}
	cfg.Hosts = []driver.HostSpec{hostSpec(t, poolerAddress(t))}
	cfg.SSLMode = "disable"
	cfg.Pooler = driver.PoolerTransaction
}

// poolerAddress is where PgBouncer listens, in front of the server of the tests. It is started on first use, and ends with
// the process. Where it is not installed, the test is skipped.
func poolerAddress(t testing.TB) string {
	t.Helper()
	cfg, err := driver.ParseConfig(sqltest.Server(t).TCP("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	path, err := findPooler()
	if err != nil {
		_, noApt := exec.LookPath("apt-get")
		if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci && noApt == nil && os.Getuid() == 0 {
			t.Fatalf("pgbouncer is not installed: %v", err) // make setup installs it
		}
		t.Skipf("pgbouncer is not installed (apt-get install pgbouncer): %v", err)
	}
	pooler.once.Do(func() { pooler.address, pooler.err = startPooler(path, cfg) })
	if pooler.err != nil {
		t.Fatalf("start %s: %v", path, pooler.err)
	}
	return pooler.address
}

var pooler struct {
	once     sync.Once
	address  string
	err      error
	lifeline io.Closer // the pipe by which PgBouncer knows that this process lives
}

// findPooler finds the program: Debian keeps it where only root's PATH leads.
func findPooler() (string, error) {
	path, err := exec.LookPath("pgbouncer")
	if err == nil {
		return path, nil
	}
	if path, err := exec.LookPath("/usr/sbin/pgbouncer"); err == nil {
		return path, nil
	}
	return "", err
}

// poolerSessions is how many sessions PgBouncer has for each database.
const poolerSessions = 10

// poolerIni is PgBouncer's configuration: any database of the server, nobody is asked for a password.
const poolerIni = `
[databases]
* = host=%s port=%d user=%s password='%s'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 2000
default_pool_size = %d
server_idle_timeout = 20
server_tls_sslmode = prefer
logfile = %s
`

// poolerShell runs the rest of its arguments until the pipe that is its input ends, which it does with this process.
const poolerShell = `dir=$1; shift; "$@" </dev/null & read -r _; kill $!; wait $!; rm -rf "$dir"`

func startPooler(path string, cfg *driver.Config) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	l.Close()
	dir, err := os.MkdirTemp("", "pooler")
	if err != nil {
		return "", err
	}
	ini, log := filepath.Join(dir, "pgbouncer.ini"), filepath.Join(dir, "log")
	text := fmt.Sprintf(poolerIni, cfg.Hosts[0].Host, cfg.Hosts[0].Port, cfg.User, strings.ReplaceAll(cfg.Password, "'", "''"),
		port, poolerSessions, log)
	if err := os.WriteFile(ini, []byte(text), 0o600); err != nil {
		return "", err
	}
	args := []string{"-c", poolerShell, "sh", dir, path}
	if os.Getuid() == 0 { // it refuses to run as root
		account, err := giveAway(dir, ini)
		if err != nil {
			return "", err
		}
		args = append(args, "-u", account)
	}
	cmd := exec.Command("sh", append(args, ini)...)
	if pooler.lifeline, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	for range 1000 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address, nil
		}
		<-time.After(10 * time.Millisecond)
	}
	said, _ := os.ReadFile(log)
	return "", fmt.Errorf("it does not listen:\n%s", said)
}

// giveAway makes an account without privileges the owner of files.
func giveAway(files ...string) (account string, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return "", err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	for _, file := range files {
		err = errors.Join(err, os.Chown(file, uid, gid))
	}
	return u.Username, err
}

// openPooled returns a pool through PgBouncer, and the space that it leads to.
func openPooled(t *testing.T, change func(*driver.Config)) (*sql.DB, space) {
	t.Helper()
	s := newSpace(t)
	address := poolerAddress(t)
	return openSpace(t, s, address, func(cfg *driver.Config) {
		cfg.Pooler = driver.PoolerTransaction
		if change != nil {
			change(cfg)
		}
	}), s
}

// TestPoolerServesEveryOperation runs the operations from more clients than the pooler has sessions, so that hardly two
// transactions of a client meet the same session.
func TestPoolerServesEveryOperation(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, func(cfg *driver.Config) { cfg.PrepareThreshold = 0 })
	mustExec(t, db, itemTable)
	const clients, uses = 2 * poolerSessions, 6
	db.SetMaxOpenConns(clients)
	db.SetMaxIdleConns(clients)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range uses {
				for _, op := range tariff {
					op.use(t, db)
				}
				if got := show(t, db, "select $1::bytea || $2::bytea", []byte{1}, []byte{255}); got != "[]uint8 [1 255]" {
					t.Errorf("bytea = %s", got)
				}
			}
		})
	}
	all.Wait()
	if n := number(t, db, "select count(*) from pg_prepared_statements"); n != 0 {
		t.Errorf("a session of the pooler holds %d prepared statements", n)
	}
}

func TestPoolerKeepsTransactionsTogether(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, nil)
	mustExec(t, db, "create table item (n int)")
	var all sync.WaitGroup
	for u := range 2 * poolerSessions {
		all.Go(func() {
			for range 10 {
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
				if err != nil {
					t.Error(err)
					return
				}
				pid := backendPID(t, tx)
				mustExec(t, tx, "insert into item values ($1)", u)
				mustExec(t, tx, "savepoint s; insert into item values (-1); rollback to savepoint s")
				if n := number(t, tx, "select count(*) from item where n = any($1)", []int{-1, 1000}); n != 0 {
					t.Errorf("%d rows that were rolled back", n)
				}
				if level := word(t, tx, "show transaction_isolation"); level != "repeatable read" {
					t.Errorf("isolation level = %s", level)
				}
				if got := backendPID(t, tx); got != pid {
					t.Error("the transaction moved to another session")
				}
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := number(t, db, "select count(*) from item"); n != 2*poolerSessions*10 {
		t.Errorf("%d rows, want %d", n, 2*poolerSessions*10)
	}
}

func TestPoolerCancelsAndGoesOn(t *testing.T) {
	t.Parallel()
	db, s := openPooled(t, nil)
	admin := openSpace(t, s, "", nil)
	conn := one(t, db)
	for range 5 {
		tx := begin(t, conn)
		pid := backendPID(t, tx) // of the session for as long as the transaction lasts
		err := cancelSleeping(t, admin, pid, func(ctx context.Context) error {
			_, err := tx.ExecContext(ctx, "select pg_sleep($1)", 60)
			return err
		})
		cancelled(t, "Exec", err)
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if n := number(t, conn, "select 7"); n != 7 {
			t.Errorf("the next statement gives %d", n)
		}
	}
	if open := db.Stats().OpenConnections; open != 1 {
		t.Errorf("%d connections, want the one", open)
	}
}

func TestPoolerGetsLeakedTransactionsBack(t *testing.T) {
	t.Parallel()
	db, s := openPooled(t, nil)
	admin := openSpace(t, s, "", nil)
	mustExec(t, admin, "create table item (n int)")
	for range 3 * poolerSessions { // no session would be left
		conn := one(t, db)
		mustExec(t, conn, "begin; lock table item")
		conn.Close()
	}
	mustExec(t, admin, "set lock_timeout = '10s'; select * from item")
}

func TestPoolerRefusesStartupParameters(t *testing.T) {
	t.Parallel()
	db, _ := openPooled(t, func(cfg *driver.Config) { cfg.RuntimeParams = map[string]string{"statement_timeout": "60000"} })
	err := db.PingContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start-up parameter statement_timeout was refused") || sqlState(err) != "08P01" {
		t.Errorf("connect = %v, want a refusal that names statement_timeout", err)
	}
	db, _ = openPooled(t, func(cfg *driver.Config) {
		cfg.RuntimeParams, cfg.ApplicationName = map[string]string{"statement_timeout": "60000"}, "kept"
		cfg.StartupOptional = []string{"statement_timeout"}
	})
	if got := word(t, db, "show statement_timeout"); got != "0" {
		t.Errorf("statement_timeout = %s: it was set behind the log-in, for every client of the pooler", got)
	}
	if got := word(t, db, "show application_name"); got != "kept" {
		t.Errorf("application_name = %q", got)
	}
}

func TestPoolerExcludesWhatNeedsASession(t *testing.T) {
	t.Parallel()
	for _, reset := range []string{"session", "discard"} {
		var refused *driver.ParseError
		_, err := driver.ParseConfig("pooler=transaction reset=" + reset)
		if !errors.As(err, &refused) || refused.Key != "reset" || !strings.Contains(err.Error(), "pooler=transaction") {
			t.Errorf("reset=%s: %v, want a refusal that names both settings", reset, err)
		}
	}
	for _, ok := range []string{"pooler=transaction reset=none", "pooler=session reset=session", "pooler=transaction"} {
		if _, err := driver.ParseConfig(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	db, s := openPooled(t, nil)
	inside(t, db, func(_ context.Context, c *driver.Conn) {
		if err := c.RequireSession("LISTEN"); err == nil || !strings.Contains(err.Error(), "LISTEN") || !strings.Contains(err.Error(), "pooler=transaction") {
			t.Errorf("RequireSession = %v, want an error that names the operation and the setting", err)
		}
	})
	inside(t, openSpace(t, s, "", nil), func(_ context.Context, c *driver.Conn) {
		if err := c.RequireSession("LISTEN"); pooled() == (err == nil) {
			t.Errorf("RequireSession = %v", err)
		}
	})
}

// TestUnpooledTestsExist keeps the list free of names that no test has any more.
func TestUnpooledTestsExist(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[fn.Name.Name] = true
			}
		}
	}
	for name := range unpooled {
		if !tests[name] {
			t.Errorf("there is no %s", name)
		}
	}
}
