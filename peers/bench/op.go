package main

import "context"

// op is one operation of a program, as data: every peer runs the same one through its own interface.
type op struct {
	sql      string
	args     []any
	dest     func() []any // makes what a row is scanned into; nil: the statement is executed, not queried
	row      []any        // what the bound gives for a row; nil where the bound is not known
	many     bool         // all rows are read, not one
	prepared preparation
	tx       bool // in a transaction of its own
	times    int  // how often the statement runs, 0 in a transaction for an empty one
}

// preparation says who prepares the statement.
type preparation int

const (
	byDriver preparation = iota // nobody but the peer itself, by its defaults
	ahead                       // the program, once
	eachTime                    // the program, closing it again
)

// program runs an operation once. It serves one goroutine.
type program func(context.Context) error

// client is a peer with an open pool.
type client interface {
	// bind makes a program of o.
	bind(o op) (program, error)
	close()
}

// peer is a driver under comparison.
type peer struct {
	name string
	// open makes a client of at most conns connections.
	open func(ctx context.Context, where place, conns int) (client, error)
}

// The peers by name. The reference of the ratios is pgx/stdlib.
const (
	ours      = "pycopg"
	reference = "pgx/stdlib"
	native    = "pgx"
	floor     = "floor"
	bound     = "sql floor" // the floor behind database/sql
)

var peers = []peer{
	{ours, openOurs},
	{reference, openStdlib},
	{native, openNative},
	{"lib/pq", openPq},
	{"bun", openBun},
}

// into makes the destinations of a row.
func into(makers ...func() any) func() []any {
	return func() []any {
		dest := make([]any, len(makers))
		for i, m := range makers {
			dest[i] = m()
		}
		return dest
	}
}

// a makes a destination of type T.
func a[T any]() any { return new(T) }
