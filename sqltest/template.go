package sqltest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// errNoVersion says that Options has a Migrate without a Version.
var errNoVersion = errors.New("Options.Migrate needs Options.Version")

// sqlFile is a file of Options.Migrations.
type sqlFile struct{ path, text string }

// readMigrations returns the *.sql files of fsys in the order of their paths.
func readMigrations(fsys fs.FS) ([]sqlFile, error) {
	if fsys == nil {
		return nil, nil
	}
	var files []sqlFile
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".sql" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err == nil {
			err = refuseWayBack(name, string(text))
		}
		files = append(files, sqlFile{path: name, text: string(text)})
		return err
	})
	if err == nil && len(files) == 0 {
		err = errors.New("no *.sql file in it")
	}
	if err != nil {
		return nil, fmt.Errorf("Options.Migrations: %w", err)
	}
	return files, nil
}

// wayBack are the comments by which tools for migrations tell the way back from the way there, in lower case.
var wayBack = []string{"down", "+goose down", "+migrate down", "migrate:down"}

// refuseWayBack refuses a file that would undo what it does, or what another did, because all of it runs.
func refuseWayBack(name, text string) error {
	const use = "run them by Options.Migrate, with migrate.Up or the tool that they are for"
	if strings.HasSuffix(name, ".down.sql") {
		return fmt.Errorf("%s is a way back: %s", name, use)
	}
	for at, comment := range driver.LineComments(text) {
		before := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
		if strings.TrimSpace(before) != "" {
			continue
		}
		what := strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(comment, "--")), " "))
		if slices.Contains(wayBack, what) {
			return fmt.Errorf("%s:%d begins a way back, %s: %s", name, 1+strings.Count(text[:at], "\n"), strings.TrimSpace(comment), use)
		}
	}
	return nil
}

// templateName is the name of the template that holds files and version. Lengths are hashed before
// contents, so that no two contents run into the same bytes.
func templateName(files []sqlFile, version string) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%d:%s%d:%s", len(f.path), f.path, len(f.text), f.text)
	}
	fmt.Fprintf(h, "version %s", version)
	return "sqltest_template_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// template returns the name of a template that holds what o says, filling it if need be; "" for nothing.
func (in *Instance) template(ctx context.Context, o Options) (string, error) {
	if o.Migrate != nil && o.Version == "" {
		return "", errNoVersion
	}
	files, err := readMigrations(o.Migrations)
	if err != nil || (len(files) == 0 && o.Migrate == nil) {
		return "", err
	}
	name := templateName(files, o.Version)
	ctx, cancel := context.WithTimeout(ctx, templateTimeout)
	defer cancel()
	ready := false
	err = in.asAdmin(ctx, func(conn *pgconn.PgConn) (err error) {
		ready, err = isTemplate(ctx, conn, name)
		return err
	})
	if err != nil || ready {
		return name, err
	}
	conn, err := connect(ctx, in.DSN(""))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	// The lock, which ends with the connection, makes all others wait for the first process.
	if _, err := value(ctx, conn, "select pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended($1, 0))", name); err != nil {
		return "", err
	}
	if ready, err := isTemplate(ctx, conn, name); err != nil || ready {
		return name, err
	}
	return name, in.makeTemplate(ctx, conn, name, files, o)
}

// isTemplate reports whether name was filled to its end: datistemplate is set last of all.
func isTemplate(ctx context.Context, conn *pgconn.PgConn, name string) (bool, error) {
	is, err := value(ctx, conn, "select datistemplate from pg_catalog.pg_database where datname = $1", name)
	return is == "t", err
}

// makeTemplate makes and fills database name, after dropping what a killed process left half filled.
func (in *Instance) makeTemplate(ctx context.Context, conn *pgconn.PgConn, name string, files []sqlFile, o Options) error {
	if err := run(ctx, conn, dropDatabase(name)); err != nil {
		return err
	}
	if err := run(ctx, conn, in.createDatabase(name, "")); err != nil {
		return err
	}
	if err := in.fill(ctx, name, files, o); err != nil {
		return errors.Join(err, run(ctx, conn, dropDatabase(name)))
	}
	// A session that the filling left would keep the template from being copied: nobody may connect any more.
	seal := fmt.Sprintf("alter database %s with is_template true allow_connections false", quoteName(name))
	if err := run(ctx, conn, endSessions(name)); err != nil {
		return err
	}
	return run(ctx, conn, seal)
}

func endSessions(dbname string) string {
	return "select pg_catalog.pg_terminate_backend(pid, 5000) from pg_catalog.pg_stat_activity where datname = " + quoteLiteral(dbname)
}

func (in *Instance) fill(ctx context.Context, name string, files []sqlFile, o Options) error {
	conn, err := connect(ctx, in.DSN(name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, f := range files {
		if err := run(ctx, conn, f.text); err != nil {
			return fmt.Errorf("migration %s%s: %w", f.path, lineOf(f.text, err), err)
		}
	}
	if o.Migrate == nil {
		return nil
	}
	db, err := open(in.DSN(name))
	if err != nil {
		return err
	}
	if err := o.Migrate(ctx, db); err != nil {
		return errors.Join(fmt.Errorf("migrate version %s: %w", o.Version, err), db.Close())
	}
	return db.Close()
}

// lineOf returns ":3" if err is the server's and points into line 3 of text.
func lineOf(text string, err error) string {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Position < 1 {
		return ""
	}
	runes := []rune(text) // the server counts characters
	before := string(runes[:min(int(refused.Position)-1, len(runes))])
	return fmt.Sprintf(":%d", 1+strings.Count(before, "\n"))
}
