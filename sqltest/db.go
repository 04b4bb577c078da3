package sqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Options say what a fresh database holds. The zero value is an empty database. Otherwise the
// content is made once, in a template, and each database is a copy of it: the template is keyed by
// the names and bytes of Migrations and by Version, so that one changed byte makes another one. On a
// server of PYCOPG_TEST_DSN templates stay for the next run; sqltest_template_… may be dropped at will.
type Options struct {
	// Migrations are SQL files: all *.sql of the file system, in the order of their paths. Each is
	// sent as one text of several statements, and so runs as one transaction unless it says otherwise.
	// A way back in them, a "-- DOWN" as admin/migrate has it, that of another tool, or a .down.sql file, is refused, since all of a file
	// runs: such files are for Migrate, with migrate.Up say.
	Migrations fs.FS

	// Migrate fills the template by other means, after Migrations. It needs a Version, because a
	// function has no bytes to look at.
	Migrate func(ctx context.Context, db *sql.DB) error

	// Version names what Migrate does: change it whenever that changes.
	Version string
}

// templateTimeout bounds the filling of a template, databaseTimeout any other statement.
const (
	templateTimeout = 5 * time.Minute
	databaseTimeout = 3 * time.Minute
)

// DB returns a handle of a fresh database on the server of Server. When the test ends, the handle is
// closed and the database dropped, whoever is still connected to it; if the test has failed, the
// database stays and its DSN is logged (a shared server takes it along when it ends: set
// PYCOPG_TEST_LINGER=10m to have time for a look).
//
// The calling goroutine, and those that it starts, get a profiler label by which Check knows them.
func DB(t testing.TB, o Options) *sql.DB {
	t.Helper()
	in, name := database(t, o)
	dsn := in.DSN(name)
	db, err := open(dsn)
	if err != nil {
		t.Fatalf("sqltest: open %s: %v", redacted(dsn), err)
	}
	t.Cleanup(func() {
		forget(db)
		if err := db.Close(); err != nil {
			t.Errorf("sqltest: close the database: %v", err)
		}
	})
	watch(t, db, in, name)
	return db
}

// DSN makes a fresh database as DB does, and returns its DSN in place of a handle.
func DSN(t testing.TB, o Options) string {
	t.Helper()
	in, name := database(t, o)
	return in.DSN(name)
}

// database makes a database for a test.
func database(t testing.TB, o Options) (in *Instance, name string) {
	t.Helper()
	in = Server(t)
	name, err := in.create(t.Context(), o)
	if err != nil {
		t.Fatalf("sqltest: make a database: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("sqltest: the test failed, its database stays: %s", in.shown(in.DSN(name)))
			return
		}
		if err := in.drop(context.Background(), name); err != nil {
			t.Errorf("sqltest: drop database %s: %v", name, err)
		}
	})
	return in, name
}

// shown is dsn as a log may show it: the password of a server of this package dies with the server.
func (in *Instance) shown(dsn string) string {
	if in.external == "" {
		return dsn
	}
	return redacted(dsn)
}

// create makes a database with a new name and returns the name.
func (in *Instance) create(ctx context.Context, o Options) (string, error) {
	template, err := in.template(ctx, o)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	name := "sqltest_" + strings.ToLower(rand.Text()[:16])
	return name, in.asAdmin(ctx, func(conn *pgconn.PgConn) error {
		return run(ctx, conn, in.createDatabase(name, template))
	})
}

// createDatabase is the statement that copies template, "" being the empty one. Copying files costs
// checkpoints, which are cheap where nothing is forced to disk, as on this package's own servers.
func (in *Instance) createDatabase(name, template string) string {
	const firstWithStrategy = 15
	if template == "" {
		template = "template0"
	}
	text := fmt.Sprintf("create database %s template %s", quoteName(name), quoteName(template))
	if in.external == "" && in.major >= firstWithStrategy {
		text += " strategy file_copy"
	}
	return text
}

// drop drops database name with its sessions, prepared transactions and replication slots.
func (in *Instance) drop(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	return in.asAdmin(ctx, func(conn *pgconn.PgConn) error {
		awaitSessions(ctx, conn, name)
		err := run(ctx, conn, dropDatabase(name))
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != objectInUse {
			return err
		}
		if err := in.unblock(ctx, conn, name); err != nil {
			return err
		}
		return run(ctx, conn, dropDatabase(name))
	})
}

// awaitSessions ends the sessions in database name and gives them a moment: the server, which would
// wait as well, looks only every 100 ms whether they are gone.
func awaitSessions(ctx context.Context, conn *pgconn.PgConn, name string) {
	const poll, most = time.Millisecond, 100
	for range most {
		left, err := value(ctx, conn, `
			select pg_catalog.count(pg_catalog.pg_terminate_backend(pid))
			from pg_catalog.pg_stat_activity where datname = $1`, name)
		if err != nil || left == "0" {
			return // what remains is for the server to say
		}
		time.Sleep(poll)
	}
}

func dropDatabase(name string) string {
	return fmt.Sprintf("drop database if exists %s with (force)", quoteName(name))
}

// objectInUse is the SQLSTATE of DROP DATABASE where FORCE does not help.
const objectInUse = "55006"

// unblock removes what keeps database name from being dropped. A prepared transaction can only be
// ended in its own database; a slot is free once its session has ended.
func (in *Instance) unblock(ctx context.Context, admin *pgconn.PgConn, name string) error {
	conn, err := connect(ctx, in.DSN(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	r := conn.ExecParams(ctx, "select gid from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database()",
		nil, nil, nil, nil).Read()
	if r.Err != nil {
		return r.Err
	}
	for _, row := range r.Rows {
		if err := run(ctx, conn, "rollback prepared "+quoteLiteral(string(row[0]))); err != nil {
			return err
		}
	}
	_, err = value(ctx, admin, `
		select pg_catalog.pg_terminate_backend(active_pid, 5000)
		from pg_catalog.pg_replication_slots where database = $1 and active_pid is not null`, name)
	if err != nil {
		return err
	}
	_, err = value(ctx, admin, `
		select pg_catalog.pg_drop_replication_slot(slot_name)
		from pg_catalog.pg_replication_slots where database = $1`, name)
	return err
}

// run executes SQL text of any number of statements without results.
func run(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	return conn.Exec(ctx, sql).Close()
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quoteLiteral quotes a string that the server reads with standard_conforming_strings on.
func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
