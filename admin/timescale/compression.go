package timescale

import (
	"context"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// CompressionOptions say how the rows of a chunk are laid out when it is compressed. The zero value leaves it to the extension,
// which orders by the time column, the latest first.
type CompressionOptions struct {
	SegmentBy     []string // columns whose values are kept as they are: those that queries look for
	OrderBy       []Order  // see also ParseOrder
	ChunkInterval Span     // chunks are merged up to this width when they are compressed
}

// EnableCompression lets the chunks of a hypertable or continuous aggregate be compressed: by [CompressChunk] or a policy.
// From version 2.18 of the extension this is the columnstore. Calling it again changes the layout of chunks that are
// compressed from then on.
func EnableCompression(ctx context.Context, q ext.Querier, table string, o CompressionOptions) error {
	a := action{what: "enable compression of", on: table}
	name, err := ext.ParseName(table)
	if err == nil {
		err = o.check()
	}
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) statement { return enableCompression(e, name, o) }
	_, err = a.run(ctx, q)
	return err
}

func (o CompressionOptions) check() error {
	for _, column := range o.SegmentBy {
		if err := ext.CheckName(column); err != nil {
			return fmt.Errorf("segment by %q: %w", column, err)
		}
	}
	for _, order := range o.OrderBy {
		if err := ext.CheckName(order.Column); err != nil {
			return fmt.Errorf("order by %q: %w", order.Column, err)
		}
	}
	return o.ChunkInterval.err
}

func enableCompression(e extension, table ext.Name, o CompressionOptions) statement {
	names := compressionNames(e)
	set := []string{names.enable}
	if len(o.SegmentBy) > 0 {
		quoted := make([]string, len(o.SegmentBy))
		for i, column := range o.SegmentBy {
			quoted[i] = ext.QuoteName(column)
		}
		set = append(set, names.segmentBy+" = "+ext.QuoteLiteral(strings.Join(quoted, ", ")))
	}
	if len(o.OrderBy) > 0 {
		orders := make([]string, len(o.OrderBy))
		for i, order := range o.OrderBy {
			orders[i] = order.String()
		}
		set = append(set, names.orderBy+" = "+ext.QuoteLiteral(strings.Join(orders, ", ")))
	}
	if !o.ChunkInterval.IsZero() {
		set = append(set, "timescaledb.compress_chunk_time_interval = "+ext.QuoteLiteral(fmt.Sprint(o.ChunkInterval.arg)))
	}
	return statement{sql: "alter table " + table.String() + " set (" + strings.Join(set, ", ") + ")"}
}

// compressionSettings are the storage parameters of a hypertable that say how it is compressed.
type compressionSettings struct{ enable, segmentBy, orderBy string }

func compressionNames(e extension) compressionSettings {
	if e.atLeast(2, 18) {
		return compressionSettings{"timescaledb.enable_columnstore", "timescaledb.segmentby", "timescaledb.orderby"}
	}
	return compressionSettings{"timescaledb.compress", "timescaledb.compress_segmentby", "timescaledb.compress_orderby"}
}

// DisableCompression forgets how a hypertable is compressed. Compressed chunks must be decompressed first.
func DisableCompression(ctx context.Context, q ext.Querier, table string) error {
	a := action{what: "disable compression of", on: table}
	name, err := ext.ParseName(table)
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) statement {
		return statement{sql: "alter table " + name.String() + " set (" + compressionNames(e).enable + " = false)"}
	}
	_, err = a.run(ctx, q)
	return err
}

// CompressChunk compresses a chunk, named as [Chunks] and [DropChunks] name it. One that is compressed and has had rows added
// since is compressed anew; any other compressed one is left as it is.
func CompressChunk(ctx context.Context, q ext.Querier, chunk string) error {
	return onChunk(ctx, q, "compress chunk", chunk, "compress_chunk", "if_not_compressed")
}

// DecompressChunk makes a compressed chunk an ordinary one; one that is not compressed is left as it is.
func DecompressChunk(ctx context.Context, q ext.Querier, chunk string) error {
	return onChunk(ctx, q, "decompress chunk", chunk, "decompress_chunk", "if_compressed")
}

// onChunk runs a function of a chunk. These have kept their names: convert_to_columnstore and convert_to_rowstore are the same
// code as procedures, which could not run beside other statements.
func onChunk(ctx context.Context, q ext.Querier, what, chunk, function, idempotent string) error {
	a := action{what: what, on: chunk}
	name, err := ext.ParseName(chunk)
	if err != nil {
		return a.fail(err)
	}
	a.build = func(e extension) (s statement) {
		s.sql = "select from " + call(e.fn(function), s.relation(name), named(idempotent, "true"))
		return s
	}
	_, err = a.run(ctx, q)
	return err
}

// CompressionStats say what compression has saved in a hypertable. The sizes are in bytes.
type CompressionStats struct {
	Chunks           int64 `db:"total_chunks"`
	CompressedChunks int64 `db:"number_compressed_chunks"`
	Before           int64 `db:"before"` // of the compressed chunks when they were not: table, indexes and TOAST
	After            int64 `db:"after"`  // of the same chunks now
}

// GetCompressionStats says what compression has saved in a hypertable: zeros where it has no chunk, or was never compressed.
func GetCompressionStats(ctx context.Context, q ext.Querier, table string) (CompressionStats, error) {
	all, err := queryTable[CompressionStats](ctx, q, action{what: "compression statistics of", on: table}, `
		select total_chunks, number_compressed_chunks,
		       coalesce(before_compression_total_bytes, 0) as before, coalesce(after_compression_total_bytes, 0) as after
		from hypertable_compression_stats($1::regclass)`)
	if err != nil || len(all) == 0 {
		return CompressionStats{}, err
	}
	return all[0], nil
}
