package timescale

import (
	"context"
	"errors"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// ChunkRange chooses chunks by the rows that they are for. The zero value is all chunks.
type ChunkRange struct {
	OlderThan Bound // chunks that end before it
	NewerThan Bound // chunks that start after it
}

func (r ChunkRange) check() error { return errors.Join(r.OlderThan.err, r.NewerThan.err) }

// args are the range as arguments.
func (r ChunkRange) args(s *statement, axis string) (args []string) {
	if !r.OlderThan.IsZero() {
		args = append(args, named("older_than", s.bound(r.OlderThan, axis)))
	}
	if !r.NewerThan.IsZero() {
		args = append(args, named("newer_than", s.bound(r.NewerThan, axis)))
	}
	return args
}

// Chunk is a chunk of a hypertable or continuous aggregate.
type Chunk struct {
	Name         string     // with its schema and quoted where needed, as the functions of this package take it
	Start, End   *time.Time // the rows that it is for: from Start to before End; nil on an axis of integers
	StartInteger *int64     // the same on an axis of integers
	EndInteger   *int64
	Compressed   bool
	Tablespace   string // "" for the database's own
}

// Chunks lists the chunks of a hypertable or continuous aggregate, the oldest first: those that [DropChunks] would drop.
func Chunks(ctx context.Context, q ext.Querier, table string, r ChunkRange) ([]Chunk, error) {
	a := action{what: "chunks of", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, a.fail(err)
	}
	s := listChunks(name, r)
	return query[Chunk](ctx, q, a, s.sql, s.args...)
}

// listChunks leaves spans and integers to the extension. A point in time is compared here, since the extension takes it only in
// the type of the axis; the view gives the bounds of timestamps and dates as if they were UTC.
func listChunks(table ext.Name, r ChunkRange) (s statement) {
	relation := s.relation(table)
	where := ""
	compare := func(b *Bound, column, operator string) {
		if b.cast != "" || b.IsZero() {
			return
		}
		point := s.arg(b.arg, "timestamptz")
		where += " and case c.primary_dimension_type when 'timestamptz'::regtype then c." + column + operator + point +
			" else c." + column + " at time zone 'UTC'" + operator + point + "::timestamp end"
		*b = Bound{}
	}
	compare(&r.OlderThan, "range_end", " <= ")
	compare(&r.NewerThan, "range_start", " >= ")
	s.sql = `
		select format('%I.%I', c.chunk_schema, c.chunk_name) as name, c.range_start as start, c.range_end as "end",
		       c.range_start_integer as start_integer, c.range_end_integer as end_integer,
		       c.is_compressed as compressed, coalesce(c.chunk_tablespace, '') as tablespace
		from ` + call("show_chunks", append([]string{relation}, r.args(&s, "")...)...) + ` as shown(oid)
		join pg_catalog.pg_class r on r.oid = shown.oid
		join pg_catalog.pg_namespace n on n.oid = r.relnamespace
		join timescaledb_information.chunks c on c.chunk_schema = n.nspname and c.chunk_name = r.relname
		where true` + where + `
		order by c.range_start, c.range_start_integer, 1`
	return s
}

// DropChunks drops the chunks of a hypertable or continuous aggregate that are chosen by r, which must not be zero, and returns
// their names: none under a mock. [Chunks] tells before what it would drop.
func DropChunks(ctx context.Context, q ext.Querier, table string, r ChunkRange) ([]string, error) {
	a := action{what: "drop chunks of", on: table, axis: true}
	name, err := ext.ParseName(table)
	if err == nil {
		err = r.check()
	}
	if err == nil && r.OlderThan.IsZero() && r.NewerThan.IsZero() {
		err = errors.New("no bound is given: neither OlderThan nor NewerThan")
	}
	if err != nil {
		return nil, a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		args := append([]string{s.relation(name)}, r.args(&s, e.axis)...)
		s.sql = "select 0, " + call(e.fn("drop_chunks"), args...)
		return s
	}
	_, rows, err := a.rows(ctx, q)
	var names []string
	for _, row := range rows {
		names = append(names, text(row[1]))
	}
	return names, err
}

// ReorderChunk puts the rows of a chunk in the order of an index, of the hypertable or of the chunk: "" for the one that was
// used the last time. It locks the chunk, and does not run inside a transaction.
func ReorderChunk(ctx context.Context, q ext.OutsideTx, chunk, index string) error {
	a := action{what: "reorder chunk", on: chunk, outside: true}
	name, err := ext.ParseName(chunk)
	var by ext.Name
	if err == nil && index != "" {
		by, err = ext.ParseName(index)
	}
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		args := []string{s.relation(name)}
		if index != "" {
			args = append(args, s.relation(by))
		}
		s.sql = "select from " + call(e.fn("reorder_chunk"), args...)
		return s
	}
	_, err = a.run(ctx, q)
	return err
}
