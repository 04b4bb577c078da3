package copyout_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/sqltest"
)

type reading struct {
	ID    int64
	At    time.Time
	Value float64
	Name  string
}

// BenchmarkCopyOut reads the same rows by COPY, as pgx reads them by SELECT, and as bytes: the floor.
func BenchmarkCopyOut(b *testing.B) {
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
	const table = "create unlogged table readings as select i::bigint as id, '2024-05-06'::timestamptz + i * '1 ms'::interval as at, i / 4.0::float8 as value, 'sensor ' || i % 50 as name from generate_series(1, 200000) i"
	mustExec(b, conn, table)
	px.Exec(ctx, table)
	run := func(name string, load func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			cpu, n := clientCPU(), 0
			for b.Loop() {
				if err := load(); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64((clientCPU()-cpu).Microseconds())/float64(n), "cpu-µs/op")
		})
	}
	run("floor", func() error {
		_, err := copyout.To(ctx, conn, "copy readings to stdout (format binary)", io.Discard)
		return err
	})
	run("Rows", func() error {
		n := 0
		for r, err := range copyout.Rows[reading](ctx, conn, copyout.Table("readings")) {
			if err != nil {
				return err
			}
			n += int(r.ID)
		}
		return nil
	})
	run("pgx", func() error {
		rows, err := px.Query(ctx, "select * from readings")
		if err != nil {
			return err
		}
		var r reading
		n := 0
		for rows.Next() {
			if err := rows.Scan(&r.ID, &r.At, &r.Value, &r.Name); err != nil {
				return err
			}
			n += int(r.ID)
		}
		return rows.Err()
	})
}
