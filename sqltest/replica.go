package sqltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ReplicaOptions say what a streaming pair is like. The zero value is asynchronous.
type ReplicaOptions struct {
	Start StartOptions // of both servers

	// Synchronous has each COMMIT wait until the standby shows its effects, so that none is lost with the primary. While
	// there is no standby, COMMIT waits.
	Synchronous bool
}

// Pair are two servers, one of which follows the other by streaming replication. It is made by Replica and ends with its test. Its
// methods serve one goroutine at a time.
type Pair struct {
	t       testing.TB
	o       ReplicaOptions
	servers [2]*Instance // in the order of DSN
	primary int          // index of it
}

// replicaTimeout bounds what a pair does.
const replicaTimeout = 3 * time.Minute

// Replica starts a primary and a standby that follows it. It needs PostgreSQL's programs, as Start does: without them the test is
// skipped, or fails if CI=true.
func Replica(t testing.TB, o ReplicaOptions) *Pair {
	t.Helper()
	if _, err := findBinaries(); err != nil && o.Start.BinDir == "" {
		if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), replicaTimeout)
	defer cancel()
	p := &Pair{t: t, o: o}
	t.Cleanup(p.close)
	var err error
	if p.servers[0], err = Start(ctx, o.Start); err != nil {
		t.Fatal(err)
	}
	if p.servers[1], err = p.servers[0].standby(ctx); err != nil {
		t.Fatalf("sqltest: start a standby: %v", err)
	}
	if err := p.settle(ctx); err != nil {
		t.Fatalf("sqltest: streaming pair: %v", err)
	}
	return p
}

// Primary is the server that takes writes.
func (p *Pair) Primary() *Instance { return p.servers[p.primary] }

// Standby is the server that follows, or that did before Promote.
func (p *Pair) Standby() *Instance { return p.servers[1-p.primary] }

// DSN returns a connection string that lists both servers, always in the same order, for the superuser in database dbname; settings
// are further keys: "target_session_attrs=read-write", …
func (p *Pair) DSN(dbname string, settings ...string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + orPostgres(dbname)}
	query := url.Values{"sslmode": {"disable"}}
	var hosts, ports []string
	for _, in := range p.servers {
		host := socketFolder(in.at.Dir)
		if host == "" {
			host, u.User = "127.0.0.1", url.UserPassword(superuser, in.at.Password)
		}
		hosts, ports = append(hosts, host), append(ports, strconv.Itoa(in.at.Port))
	}
	query.Set("host", strings.Join(hosts, ","))
	query.Set("port", strings.Join(ports, ","))
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		query.Set(key, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Promote makes the standby a primary, and returns when it takes writes. The other server, if it runs, stays a primary, too: what
// is written there is lost when it is demoted.
func (p *Pair) Promote(ctx context.Context) error {
	standby := p.Standby()
	conn, err := connect(ctx, standby.DSN(""))
	if err != nil {
		return fmt.Errorf("sqltest: promote: %w", err)
	}
	defer conn.Close(ctx)
	if done, err := value(ctx, conn, "select pg_catalog.pg_promote(true, 180)"); err != nil || done != "t" {
		return fmt.Errorf("sqltest: promote: the server says %q: %w", done, err)
	}
	p.primary = 1 - p.primary
	return nil
}

// Demote makes the server that is no longer the primary follow the one that is, with a copy of its data, and returns when it does.
func (p *Pair) Demote(ctx context.Context) error {
	old := p.Standby()
	if err := old.Stop(ctx, StopImmediate); err != nil {
		return err
	}
	if err := p.Primary().copyTo(ctx, old.at.Dir); err != nil {
		return fmt.Errorf("sqltest: demote: %w", err)
	}
	if err := old.configureStandby(p.Primary()); err != nil {
		return fmt.Errorf("sqltest: demote: %w", err)
	}
	if err := old.order(ctx, command{Op: "start"}); err != nil {
		return err
	}
	if err := p.settle(ctx); err != nil {
		return fmt.Errorf("sqltest: demote: %w", err)
	}
	return nil
}

// settle waits until the standby follows, and sets what COMMIT waits for.
func (p *Pair) settle(ctx context.Context) error {
	conn, err := connect(ctx, p.Primary().DSN(""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if p.o.Synchronous {
		for _, set := range []string{
			"alter system set synchronous_standby_names = '*'", "alter system set synchronous_commit = remote_apply",
			"select pg_catalog.pg_reload_conf()",
		} {
			if err := run(ctx, conn, set); err != nil {
				return err
			}
		}
	}
	state := "streaming"
	query := "select pg_catalog.count(*) from pg_catalog.pg_stat_replication where state = $1"
	if p.o.Synchronous {
		query += " and sync_state = 'sync'"
	}
	for {
		n, err := value(ctx, conn, query, state)
		if err != nil || n != "0" {
			return err
		}
		if err := rest(ctx); err != nil {
			return fmt.Errorf("the standby does not follow: %w\n%s", err, tail(filepath.Join(p.Standby().at.Dir, logFile), 0))
		}
	}
}

// rest is a pause between two looks.
func rest(ctx context.Context) error {
	const poll = 10 * time.Millisecond
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(poll):
		return nil
	}
}

func (p *Pair) close() {
	for _, in := range p.servers {
		if in == nil {
			continue
		}
		if err := in.Close(); err != nil {
			p.t.Errorf("%v", err)
		}
	}
}

// standby starts a server with a copy of in's data that follows in.
func (in *Instance) standby(ctx context.Context) (*Instance, error) {
	dir, err := newServerDir()
	if err != nil {
		return nil, err
	}
	s := in.spec
	s.Dir, s.Copied = dir, true
	if err := in.copyTo(ctx, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	follower := &Instance{at: address{Dir: dir}}
	if err := follower.configureStandby(in); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return launch(ctx, s)
}

// configureStandby makes the server of a folder follow another one.
func (in *Instance) configureStandby(primary *Instance) error {
	host := socketFolder(primary.at.Dir)
	if host == "" {
		host = "127.0.0.1"
	}
	info := fmt.Sprintf("host=%s port=%d user=%s password=%s", host, primary.at.Port, superuser, primary.at.Password)
	text := settingsText(map[string]string{
		"primary_conninfo": info, "recovery_target_timeline": "latest", "unix_socket_directories": socketFolder(in.at.Dir),
	})
	data := filepath.Join(in.at.Dir, dataDir)
	if err := appendFile(filepath.Join(data, "postgresql.conf"), text); err != nil {
		return err
	}
	// What ALTER SYSTEM has set on the primary is not for a server that may be promoted while it is alone.
	files := map[string]string{"standby.signal": "", "postgresql.auto.conf": ""}
	account, err := serverAccount()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := account.write(filepath.Join(data, name), text); err != nil {
			return err
		}
	}
	return nil
}

// copyTo puts a copy of the data of a running server into the folder of another one.
func (in *Instance) copyTo(ctx context.Context, dir string) error {
	conn, err := connect(ctx, in.DSN(""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	account, err := serverAccount()
	if err != nil {
		return err
	}
	begin, end := "select pg_catalog.pg_backup_start('copy', true)", "select labelfile from pg_catalog.pg_backup_stop(false)"
	if in.major < 15 {
		begin = "select pg_catalog.pg_start_backup('copy', true, false)"
		end = "select labelfile from pg_catalog.pg_stop_backup(false, false)"
	}
	if _, err := value(ctx, conn, begin); err != nil {
		return err
	}
	data := filepath.Join(dir, dataDir)
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if err := copyTree(filepath.Join(in.at.Dir, dataDir), data, account); err != nil {
		return err
	}
	label, err := value(ctx, conn, end)
	if err != nil {
		return err
	}
	return account.write(filepath.Join(data, "backup_label"), label)
}

// copyTree copies the data of a server that runs, without what belongs to the process. Files that vanish meanwhile are not needed.
func copyTree(from, to string, account *account) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, name)
		switch {
		case d.IsDir():
			err = os.MkdirAll(dst, 0o700)
		case name == "postmaster.pid" || name == "postmaster.opts" || !d.Type().IsRegular():
			return nil
		default:
			err = copyFile(path, dst)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return account.own(dst)
	})
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
