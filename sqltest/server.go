package sqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// dsnEnv names a running server for Server: a DSN of a user who may create databases.
const dsnEnv = "PYCOPG_TEST_DSN"

// startTimeout is how long a test waits for the server.
const startTimeout = 3 * time.Minute

// unavailableError says that there is no server, and what was tried.
type unavailableError struct{ tried []string }

func (e *unavailableError) Error() string {
	return "sqltest: no PostgreSQL server; tried:\n\t" + strings.Join(e.tried, "\n\t")
}

// Server returns the server for tests. It is looked for once in a process: PYCOPG_TEST_DSN; then
// PostgreSQL's programs (in PYCOPG_PG_BINDIR, PATH, pg_config's folder, the usual folders of the
// system), from which one server is started and shared by all packages of a "go test ./..."; then
// the registered providers.
//
// Where nothing is found the test is skipped, or fails if CI=true; both name what was tried. A server
// that was found and does not work fails the test.
func Server(t testing.TB) *Instance {
	t.Helper()
	in, err := theServer()
	if err == nil {
		return in
	}
	var none *unavailableError
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); errors.As(err, &none) && !ci {
		t.Skip(err)
	}
	t.Fatal(err)
	return nil
}

// theServer finds the server once.
var theServer = sync.OnceValues(func() (*Instance, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if dsn := os.Getenv(dsnEnv); dsn != "" {
		in, err := existing(ctx, dsn)
		if err != nil {
			return nil, fmt.Errorf("sqltest: %s: %w", dsnEnv, err)
		}
		return in, nil
	}
	tried := []string{dsnEnv + ": not set"}
	binDir, err := findBinaries()
	if err == nil {
		in, err := joinShared(ctx, binDir)
		if err != nil {
			return nil, fmt.Errorf("sqltest: start a server from %s: %w", binDir, err)
		}
		return in, nil
	}
	return provided(ctx, append(tried, err.Error()))
})

func provided(ctx context.Context, tried []string) (*Instance, error) {
	for _, p := range registeredProviders() {
		dsn, err := p.provide(ctx)
		if err != nil {
			tried = append(tried, p.name+": "+err.Error())
			continue
		}
		in, err := existing(ctx, dsn)
		if err != nil {
			return nil, fmt.Errorf("sqltest: provider %s: %w", p.name, err)
		}
		return in, nil
	}
	return nil, &unavailableError{tried: tried}
}

// existing describes a server that others started.
func existing(ctx context.Context, dsn string) (*Instance, error) {
	conn, err := connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	number, err := value(ctx, conn, "show server_version_num")
	if err != nil {
		return nil, err
	}
	const major = 10000 // 150004 is 15.4
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("server_version_num: %w", err)
	}
	return &Instance{external: dsn, major: n / major}, nil
}

// connect opens a connection for this package's own statements. Settings of the DSN that are not
// libpq's are left out: the driver under test knows them, the server does not.
func connect(ctx context.Context, dsn string) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams = map[string]string{"application_name": "sqltest"}
	return pgconn.ConnectConfig(ctx, config)
}

// value runs a statement with text arguments and returns the first field of its first row, "" without a row.
func value(ctx context.Context, conn *pgconn.PgConn, sql string, args ...string) (string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	r := conn.ExecParams(ctx, sql, values, nil, nil, nil).Read()
	if r.Err != nil || len(r.Rows) == 0 {
		return "", r.Err
	}
	return string(r.Rows[0][0]), nil
}
