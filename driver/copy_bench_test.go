package driver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
)

// benchRows are the rows of the COPY benchmarks, in the text format.
const benchRows = 100_000

func benchStream() []byte {
	var b []byte
	for i := range benchRows {
		b = fmt.Appendf(b, "%d\t2024-05-06 07:08:09.000%03d+00\t%d.25\tsensor %d\n", i, i%1000, i%100, i%50)
	}
	return b
}

const benchTable = "create unlogged table readings (id bigint, at timestamptz, value float8, name text)"

// BenchmarkCopyIn sends the same prebuilt bytes, as this driver and as pgx do.
func BenchmarkCopyIn(b *testing.B) {
	stream := benchStream()
	s := newSpace(b)
	db := openSpace(b, s, "", nil)
	mustExec(b, db, benchTable)
	conn := one(b, db)
	px, err := pgx.Connect(context.Background(), string(s))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { px.Close(context.Background()) })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const statement = "copy readings from stdin where id < 0" // the server reads all and stores nothing
	run := func(name string, load func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
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
	run("driver", func() error {
		_, err := copyIn(ctx, conn, statement, func(ci *driver.CopyIn) error {
			_, err := io.Copy(ci, onlyReader{bytes.NewReader(stream)})
			return err
		})
		return err
	})
	run("driver whole", func() error {
		_, err := copyIn(ctx, conn, statement, func(ci *driver.CopyIn) error {
			_, err := ci.Write(stream)
			return err
		})
		return err
	})
	run("pgx", func() error {
		_, err := px.PgConn().CopyFrom(ctx, onlyReader{bytes.NewReader(stream)}, statement)
		return err
	})
}

// BenchmarkCopyOut reads the same rows, as this driver and as pgx do.
func BenchmarkCopyOut(b *testing.B) {
	s := newSpace(b)
	db := openSpace(b, s, "", nil)
	mustExec(b, db, benchTable)
	conn := one(b, db)
	copyIn(context.Background(), conn, "copy readings from stdin", func(ci *driver.CopyIn) error {
		_, err := ci.Write(benchStream())
		return err
	})
	px, err := pgconn.Connect(context.Background(), string(s))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { px.Close(context.Background()) })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const statement = "copy readings to stdout"
	run := func(name string, read func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			cpu, n := clientCPU(), 0
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64((clientCPU()-cpu).Microseconds())/float64(n), "cpu-µs/op")
		})
	}
	run("driver", func() error {
		_, err := copyOut(ctx, conn, statement, all(io.Discard))
		return err
	})
	run("pgx", func() error {
		_, err := px.CopyTo(ctx, io.Discard, statement)
		return err
	})
}

// onlyReader hides the other methods of a reader.
type onlyReader struct{ io.Reader }
