package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/sqltest"
)

// server is the private server that every peer speaks to, over TCP and without TLS or a password.
type server struct {
	*sqltest.Instance
	addr  string // host:port
	major int
}

// tables are what the cases read and write. Nothing of it may depend on the day.
const tables = `
create table item (id int8 primary key, name text not null);
insert into item select i, 'item ' || i from generate_series(1, 1000) i;
create unlogged table log (id int8, name text);
create unlogged table bulk (id int8, name text, at timestamptz, amount float8);
create table big (id int4 primary key, raw bytea, words text);
alter table big alter raw set storage external, alter words set storage external;
insert into big select 1, decode(repeat('00ff7f80', 262144), 'hex'), repeat('0123456789abcdef', 65536);
create table cell as
select i, i::int8 * 1000003 as int8, 'text value ' || i as text, i * 1.25::float8 as float8, i % 2 = 0 as bool,
       timestamptz '2020-01-01 00:00:00Z' + i * interval '61.000001 seconds' as timestamptz,
       decode(lpad(to_hex(i), 32, '0'), 'hex') as bytea, (i * 1.25)::numeric(12, 2) as numeric
from generate_series(1, 10000) i`

func startServer(ctx context.Context) (*server, error) {
	in, err := sqltest.Start(ctx, sqltest.StartOptions{
		HBA:      []string{"local all all trust", "host all all 127.0.0.1/32 trust"},
		Settings: map[string]string{"max_connections": "500", "autovacuum": "off", "jit": "off", "checkpoint_timeout": "1h"},
	})
	if err != nil {
		return nil, err
	}
	s := &server{Instance: in, major: in.MajorVersion()}
	if err := s.fill(ctx); err != nil {
		in.Close()
		return nil, fmt.Errorf("fill the server: %w", err)
	}
	return s, nil
}

// fill finds out where the server listens, and makes the tables.
func (s *server) fill(ctx context.Context) error {
	u, err := url.Parse(s.TCP(""))
	if err != nil {
		return err
	}
	s.addr = u.Host
	for _, sql := range []string{tables, "vacuum analyze"} { // VACUUM runs alone
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// exec runs statements on a connection of its own; none where there is no text.
func (s *server) exec(ctx context.Context, sql string) error {
	if sql == "" {
		return nil
	}
	conn, err := pgconn.Connect(ctx, dsn(s.addr))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql).ReadAll()
	return err
}

// dsn is how every peer is told to connect to addr, the server or a proxy in front of it.
func dsn(addr string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: addr, Path: "/postgres", RawQuery: "sslmode=disable"}
	return u.String()
}
