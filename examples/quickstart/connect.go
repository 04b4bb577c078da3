package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// cleanupTime bounds the removal of what the program made, also after Ctrl-C.
const cleanupTime = 30 * time.Second

// session is what the steps share: the database handle and where to write.
type session struct {
	db         *sql.DB
	out        *transcript
	zones      []zone
	schema     string       // holds everything the steps make; it is the whole search path
	mayExist   bool         // whether the schema was asked for, so that close drops it
	stopServer func() error // nil when the server is not ours
}

// open connects to the server of dsn, or starts one where dsn is empty, and makes the schema.
func open(ctx context.Context, out *transcript, dsn string) (_ *session, err error) {
	zones, err := parseZones(zoneTable)
	if err != nil {
		return nil, err
	}
	s := &session{
		out:    out,
		zones:  zones,
		schema: "quickstart_" + strings.ToLower(rand.Text()[:8]),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	end := out.begin("Connect")
	if dsn == "" {
		start := time.Now()
		inst, err := sqltest.Start(ctx, sqltest.StartOptions{})
		if err != nil {
			return nil, err
		}
		s.stopServer = inst.Close
		dsn = inst.DSN("postgres")
		out.line("started a throw-away PostgreSQL in %s", took(start))
	}
	if err := s.connect(ctx, dsn); err != nil {
		return nil, err
	}
	end()
	return s, nil
}

// connect makes the handle and the schema. sql.Open("pycopg", dsn) is enough for most programs;
// a Config gives what a DSN cannot carry, and sets single keys without any quoting.
func (s *session) connect(ctx context.Context, dsn string) error {
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		return err
	}
	cfg.RuntimeParams["search_path"] = s.schema
	s.db = sql.OpenDB(driver.NewConnector(cfg))

	start := time.Now()
	if err := s.db.PingContext(ctx); err != nil {
		return err
	}
	connected := took(start)
	var version string
	if err := s.db.QueryRowContext(ctx, "show server_version").Scan(&version); err != nil {
		return err
	}
	s.out.line("connected to PostgreSQL %s in %s", version, connected)
	s.mayExist = true
	if _, err := s.db.ExecContext(ctx, "create schema "+s.schema); err != nil {
		return err
	}
	s.out.line("created schema %s for everything that follows", s.schema)
	return nil
}

// close drops the schema and stops the server if it is ours. It works after ctx has ended too.
func (s *session) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	var errs []error
	if s.mayExist {
		_, err := s.db.ExecContext(ctx, "drop schema if exists "+s.schema+" cascade")
		errs = append(errs, err)
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.stopServer != nil {
		errs = append(errs, s.stopServer())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	switch {
	case s.stopServer != nil:
		fmt.Fprintf(s.out.w, "\nEverything is removed again: schema %s, the server and its files.\n", s.schema)
	case s.mayExist:
		fmt.Fprintf(s.out.w, "\nEverything is removed again: schema %s.\n", s.schema)
	}
	return nil
}
