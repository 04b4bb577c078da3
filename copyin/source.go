package copyin

import (
	"context"
	"io"
	"iter"
	"os"
)

// Source is what [Load] reads: [CSVFiles], [CSVReader] or [Sequence].
type Source interface {
	// feed reads the source and hands its rows to the loader, batch by batch. It runs in the caller's goroutine.
	feed(ctx context.Context, l *loader) error
	// size is how many bytes feed will read, 0 where that is not known.
	size() (int64, error)
}

// CSVFiles is CSV files, plain or compressed by gzip, one after the other. Each is as [CSVFile] reads it, with a header of its own.
func CSVFiles(o CSVOptions, names ...string) Source { return &csvSource{options: o, names: names} }

// CSVReader is one stream of CSV, as [CSV] reads it.
func CSVReader(r io.Reader, o CSVOptions) Source {
	return &csvSource{options: o, reader: r, isReader: true}
}

// csvSource is CSV, from files or from a reader.
type csvSource struct {
	options CSVOptions
	names   []string
	reader  io.Reader

	isReader bool // not files
}

func (s *csvSource) size() (total int64, err error) {
	for _, name := range s.names {
		info, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		if !info.Mode().IsRegular() {
			return 0, nil
		}
		total += info.Size()
	}
	if sized, ok := s.reader.(interface{ Len() int }); ok {
		total = int64(sized.Len())
	}
	return total, nil
}

func (s *csvSource) feed(ctx context.Context, l *loader) error {
	if s.isReader && s.reader == nil {
		return errNoSource
	}
	if s.isReader {
		return s.feedOne(ctx, l, 1, "", s.reader)
	}
	for i, name := range s.names {
		if l.limitReached() {
			return nil
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = s.feedOne(ctx, l, i+1, name, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// Sequence is rows from a sequence, which may fail: []any, with a value for each of the columns, map[string]any, as [Maps] takes
// them, or structs (or pointers to them), as [Structs] takes them. columns are those that are filled, none for those of the rows, or
// of the table.
func Sequence[T any](rows iter.Seq2[T, error], columns ...string) Source {
	return &rowsSource{wanted: columns, open: func() (rowSource, error) {
		switch rows := any(rows).(type) {
		case iter.Seq2[[]any, error]:
			if rows != nil {
				return &pushSource{seq: rows}, nil
			}
		case iter.Seq2[map[string]any, error]:
			if rows != nil {
				return &mapSeqSource{seq: rows, mapRow: mapRow{wanted: columns}}, nil
			}
		}
		return newStructSeq(rows, columns)
	}}
}
