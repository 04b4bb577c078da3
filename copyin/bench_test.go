package copyin_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/sqltest"
)

// benchRows are the rows of the benchmarks.
const benchRows = 100_000

type reading struct {
	ID    int64
	At    time.Time
	Value float64
	Name  string
}

// BenchmarkCopyIn copies the same rows from structs and slices, as pgx does, and as bytes that were made before: the floor.
func BenchmarkCopyIn(b *testing.B) {
	dsn := sqltest.DSN(b, sqltest.Options{})
	db := openDB(b)
	conn := one(b, db)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	px, err := pgx.Connect(ctx, dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { px.Close(context.Background()) })
	const table = "create unlogged table readings (id bigint, at timestamptz, value float8, name text)"
	mustExec(b, conn, table)
	if _, err := px.Exec(ctx, table); err != nil {
		b.Fatal(err)
	}
	var structs []reading
	var rows [][]any
	var floor bytes.Buffer
	e, _ := copyin.NewEncoder(&floor, copyin.EncoderOptions{Format: copyin.Binary, Types: []uint32{20, 1184, 701, 25}})
	for i := range benchRows {
		r := reading{int64(i), noon.Add(time.Duration(i) * time.Millisecond), float64(i) / 4, fmt.Sprintf("sensor %d", i%50)}
		structs = append(structs, r)
		rows = append(rows, []any{r.ID, r.At, r.Value, r.Name})
		e.WriteRow(rows[i]...)
	}
	e.Close()
	run := func(name string, load func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var cpu time.Duration
			n := 0
			for b.Loop() {
				start := clientCPU()
				if err := load(); err != nil {
					b.Fatal(err)
				}
				cpu += clientCPU() - start
				n++
				b.StopTimer()
				mustExec(b, conn, "truncate readings")
				px.Exec(ctx, "truncate readings")
				b.StartTimer()
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(n), "cpu-µs/op")
		})
	}
	run("floor", func() error {
		_, err := copyin.From(ctx, conn, "copy readings from stdin (format binary)", bytes.NewReader(floor.Bytes()))
		return err
	})
	run("Structs", func() error {
		_, err := copyin.Structs(ctx, conn, "readings", structs, copyin.Options{})
		return err
	})
	run("Rows", func() error {
		_, err := copyin.Rows(ctx, conn, "readings", rows, copyin.Options{})
		return err
	})
	run("sequence", func() error {
		_, err := copyin.StructsSeq(ctx, conn, "readings", each(structs), copyin.Options{})
		return err
	})
	run("text", func() error {
		_, err := copyin.Structs(ctx, conn, "readings", structs, copyin.Options{Format: copyin.Text})
		return err
	})
	run("pgx", func() error {
		_, err := px.CopyFrom(ctx, pgx.Identifier{"readings"}, []string{"id", "at", "value", "name"}, pgx.CopyFromRows(rows))
		return err
	})
}
