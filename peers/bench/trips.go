package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// tripCase is an operation whose round trips are counted.
type tripCase struct {
	name string
	op   op
	idle time.Duration // how long the connection rests before it
}

var tripCases = []tripCase{
	{name: "select with an argument", op: pointSelect},
	{name: "select without arguments", op: op{sql: "select 1, 'one'", dest: into(a[int64], a[string]), times: 1}},
	{name: "insert with arguments", op: insert},
	{name: "insert without arguments", op: op{sql: "insert into log values (1, 'one')", times: 1}},
	{name: "[]byte argument", op: op{sql: "select length($1::bytea)", args: []any{[]byte("x")}, dest: into(a[int64]), times: 1}},
	{name: "prepare, execute, close", op: op{sql: insert.sql, args: insert.args, prepared: eachTime, times: 1}},
	{name: "begin, insert, commit", op: transaction},
	{name: "begin, 3 inserts, commit", op: op{sql: insert.sql, args: insert.args, tx: true, times: 3}},
	{name: "begin, commit", op: op{tx: true}},
	{name: "select after 1.1 s idle", op: pointSelect, idle: 1100 * time.Millisecond},
}

// printTrips prints how many round trips each operation takes on a warm connection: the first time, and in the long run.
func printTrips(ctx context.Context, w io.Writer, srv *server, s settings) error {
	fmt.Fprintf(w, "\nround trips, first use / steady\n  %-26s", "")
	field := s.selected()[1:] // the floor makes this driver's
	for _, p := range field {
		fmt.Fprintf(w, " %11s", p.name)
	}
	fmt.Fprintf(w, "\n  %-26s", "connect")
	for _, p := range field {
		n, err := connectTrips(ctx, p, srv.addr)
		if err != nil {
			return fmt.Errorf("%s: connect: %w", p.name, err)
		}
		fmt.Fprintf(w, " %11d", n)
	}
	for _, c := range tripCases {
		fmt.Fprintf(w, "\n  %-26s", c.name)
		for _, p := range field {
			first, steady, err := countTrips(ctx, p, srv.addr, c)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", p.name, c.name, err)
			}
			fmt.Fprintf(w, " %11s", fmt.Sprintf("%d / %d", first, steady))
		}
	}
	fmt.Fprintln(w)
	return nil
}

// opening is what makes a peer connect before its round trips are counted.
var opening = op{sql: "insert into log values (0, 'opening')", times: 1}

// connectTrips counts a new connection: what a statement's first use takes more without one.
func connectTrips(ctx context.Context, p peer, addr string) (int, error) {
	const other = "insert into log values (0, 'first use')"
	o := op{sql: other, times: 1}
	warm, _, err := countTrips(ctx, p, addr, tripCase{op: o})
	if err != nil {
		return 0, err
	}
	cold := 0
	err = throughProxy(ctx, p, addr, func(px *proxy, c client) error {
		err := runOnce(ctx, c, o)
		cold = px.roundTrips()
		return err
	})
	return cold - warm, err
}

// countTrips counts the first use of an operation on a connection, and one when it has been used often.
func countTrips(ctx context.Context, p peer, addr string, tc tripCase) (first, steady int, err error) {
	err = throughProxy(ctx, p, addr, func(px *proxy, c client) error {
		for range 2 { // some peers look at a connection that comes back for the first time
			if err := runOnce(ctx, c, opening); err != nil {
				return err
			}
		}
		run, err := c.bind(tc.op)
		if err != nil {
			return err
		}
		count := func() (int, error) {
			time.Sleep(tc.idle)
			before := px.roundTrips()
			err := run(ctx)
			return px.roundTrips() - before, err
		}
		if first, err = count(); err != nil {
			return err
		}
		if err := repeat(ctx, run, warmUps); err != nil {
			return err
		}
		steady, err = count()
		return err
	})
	return first, steady, err
}

func runOnce(ctx context.Context, c client, o op) error {
	run, err := c.bind(o)
	if err != nil {
		return err
	}
	return run(ctx)
}

// throughProxy gives use a client of one connection that reaches the server through a proxy.
func throughProxy(ctx context.Context, p peer, addr string, use func(*proxy, client) error) error {
	px, err := newProxy(addr, 0)
	if err != nil {
		return err
	}
	defer px.close()
	c, err := p.open(ctx, at(px.addr()), 1)
	if err != nil {
		return err
	}
	defer c.close()
	return use(px, c)
}
