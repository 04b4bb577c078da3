package main

import (
	"strings"
	"time"
)

// benchCase is an operation under certain conditions.
type benchCase struct {
	name       string
	op         op
	cancelable bool          // with a context that can end, and GOMAXPROCS=1
	alone      bool          // without a server: what the peer's own code costs
	pair       bool          // this driver and pgx/stdlib alone, as in a program that has one of them
	parallel   int           // goroutines, each with a connection; 0: one
	proxied    bool          // through a proxy in this process: its CPU time is in the figures
	latency    time.Duration // that the proxy adds
	count      int           // operations in a round
	rounds     int
}

func (c benchCase) workers() int { return max(c.parallel, 1) }

// The operations.
var (
	pointSelect = op{
		sql: "select id, name from item where id = $1", args: []any{int64(77)}, dest: into(a[int64], a[string]), times: 1,
		row: []any{int64(77), "item 77"},
	}
	insert         = op{sql: "insert into log (id, name) values ($1, $2)", args: []any{int64(77), "some text"}, times: 1}
	transaction    = inTx(insert)
	preparedSelect = preparedAhead(pointSelect)
	wideRows       = op{
		sql:  "select " + strings.TrimSuffix(strings.Repeat("i, text, ", 25), ", ") + " from cell where i <= 500",
		dest: into(repeated(25, a[int64], a[string])...), many: true, times: 1,
	}
	bigBytesOut = op{sql: "select raw from big where id = $1", args: []any{int64(1)}, dest: into(a[[]byte]), times: 1}
	bigTextOut  = op{sql: "select words from big where id = $1", args: []any{int64(1)}, dest: into(a[string]), times: 1}
	bigBytesIn  = op{sql: "select length($1::bytea)", args: []any{make([]byte, 1<<20)}, dest: into(a[int64]), times: 1}
	bigTextIn   = op{sql: "select length($1::text)", args: []any{strings.Repeat("x", 1<<20)}, dest: into(a[int64]), times: 1}
)

func inTx(o op) op {
	o.tx = true
	return o
}

func preparedAhead(o op) op {
	o.prepared = ahead
	return o
}

func repeated(n int, makers ...func() any) []func() any {
	var all []func() any
	for range n {
		all = append(all, makers...)
	}
	return all
}

// scan reads 10 000 rows of the given columns.
func scan(columns string, makers ...func() any) op {
	return op{sql: "select " + columns + " from cell", dest: into(makers...), many: true, times: 1}
}

// sixOf reads 10 000 rows of six columns of one type.
func sixOf(column string, maker func() any) op {
	return scan(strings.Repeat(column+", ", 5)+column, repeated(6, maker)...)
}

// mixedScan is the scan of the budgets: a column each of the commonest types. plainScan has a text in the place of the
// numeric, which pgx is so slow to make a string of that little else is seen of it.
var (
	mixedScan = mixOf("numeric")
	plainScan = mixOf("numeric::text")
)

func mixOf(last string) op {
	return scan("int8, text, float8, bool, timestamptz, "+last,
		a[int64], a[string], a[float64], a[bool], a[time.Time], a[string])
}

// How many operations make a round of some milliseconds, and how many rounds make a quiet median.
const (
	many, few, some      = 100, 3, 10
	carefully, roughly   = 200, 15
	smallRounds, delayed = 50, 5
)

var cases = slicesOf(
	both(benchCase{name: "select", op: pointSelect, count: many, rounds: carefully}),
	both(benchCase{name: "insert", op: insert, count: many, rounds: carefully}),
	pairs(benchCase{name: "select", op: pointSelect}, benchCase{name: "insert", op: insert}),
	both(benchCase{name: "transaction", op: transaction, count: many / 3, rounds: smallRounds}),
	both(benchCase{name: "prepared", op: preparedSelect, count: many, rounds: smallRounds}),
	both(benchCase{name: "scan/mixed", op: mixedScan, count: few, rounds: smallRounds}),
	[]benchCase{
		{name: "scan/plain", op: plainScan, count: few, rounds: smallRounds},
		{name: "scan/int8", op: sixOf("int8", a[int64]), count: few, rounds: roughly},
		{name: "scan/text", op: sixOf("text", a[string]), count: few, rounds: roughly},
		{name: "scan/float8", op: sixOf("float8", a[float64]), count: few, rounds: roughly},
		{name: "scan/bool", op: sixOf("bool", a[bool]), count: few, rounds: roughly},
		{name: "scan/timestamptz", op: sixOf("timestamptz", a[time.Time]), count: few, rounds: roughly},
		{name: "scan/bytea", op: sixOf("bytea", a[[]byte]), count: few, rounds: roughly},
		{name: "scan/numeric", op: sixOf("numeric", a[string]), count: few, rounds: roughly},
		{name: "wide", op: wideRows, count: few, rounds: roughly},
		{name: "big/bytea-out", op: bigBytesOut, count: 5 * some, rounds: roughly},
		{name: "big/text-out", op: bigTextOut, count: 5 * some, rounds: roughly},
		{name: "big/bytea-in", op: bigBytesIn, count: 5 * some, rounds: roughly},
		{name: "big/text-in", op: bigTextIn, count: 5 * some, rounds: roughly},
		{name: "parallel-64", op: pointSelect, parallel: 64, count: some, rounds: smallRounds},
	},
	both(benchCase{name: "select/alone", op: pointSelect, alone: true, count: many, rounds: carefully}),
	both(benchCase{name: "insert/alone", op: insert, alone: true, count: many, rounds: carefully}),
	[]benchCase{{name: "scan/mixed/alone", op: mixedScan, alone: true, count: few, rounds: smallRounds}},
	delays(benchCase{name: "select", op: pointSelect}),
	delays(benchCase{name: "insert", op: insert}),
	delays(benchCase{name: "transaction", op: transaction}),
)

func slicesOf(groups ...[]benchCase) []benchCase {
	var all []benchCase
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// both is a case with a background context and with one that can be cancelled.
func both(c benchCase) []benchCase {
	d := c
	d.name, d.cancelable = c.name+"/cancelable", true
	return []benchCase{c, d}
}

// pairs are cases for two peers. What the timer costs that pgx arms for each statement depends on whether the process has other
// timers, such as a third peer's.
func pairs(all ...benchCase) []benchCase {
	for i := range all {
		c := &all[i]
		c.name, c.pair, c.count, c.rounds = c.name+"/pair", true, many, smallRounds
	}
	return all
}

// delays is a case through a proxy that adds nothing, and through one that adds a millisecond to a round trip.
func delays(c benchCase) []benchCase {
	c.proxied, c.rounds = true, smallRounds
	d := c
	c.name, c.count = c.name+"/+0ms", some
	d.name, d.count, d.latency = d.name+"/+1ms", delayed, time.Millisecond
	return []benchCase{c, d}
}
