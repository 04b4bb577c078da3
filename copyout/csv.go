package copyout

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// CSVOptions say how CSV is written. The zero value is a header of column names, commas, double quotes where they are needed,
// and nothing between two commas for NULL.
type CSVOptions struct {
	NoHeader      bool
	Delimiter     byte     // 0 is a comma
	Quote         byte     // 0 is a double quote
	Escape        byte     // 0 is the quote: it is doubled
	Null          string   // what stands for NULL, without quotes
	ForceQuote    []string // columns whose values are all in quotes
	ForceQuoteAll bool     // all values are
	Encoding      string   // of the file, as PostgreSQL names it ("latin1"); "" is UTF-8
}

func (o CSVOptions) sql() ([]string, error) {
	csv, err := (copyformat.CSV{Delimiter: o.Delimiter, Quote: o.Quote, Escape: o.Escape, Null: o.Null}).Normal()
	if err != nil {
		return nil, err
	}
	options := csv.Options()
	if !o.NoHeader {
		options = append(options, "header")
	}
	switch {
	case o.ForceQuoteAll:
		options = append(options, "force_quote *")
	case len(o.ForceQuote) > 0:
		var quoted []string
		for _, c := range o.ForceQuote {
			quoted = append(quoted, ext.QuoteName(c))
		}
		options = append(options, "force_quote ("+strings.Join(quoted, ", ")+")")
	}
	encoding := o.Encoding
	if encoding == "" {
		encoding = "UTF8"
	}
	return append(options, "encoding "+copyformat.Literal(encoding)), nil
}

// CSV writes the rows of a table or query to w as CSV, and returns their number. w is written to as [To] writes to it.
func CSV(ctx context.Context, q ext.Querier, src Source, w io.Writer, o CSVOptions) (int64, error) {
	rows, err := copyCSV(ctx, q, src, w, o)
	if err != nil {
		return 0, wrap(err)
	}
	return rows, nil
}

func copyCSV(ctx context.Context, q ext.Querier, src Source, w io.Writer, o CSVOptions) (int64, error) {
	if w == nil {
		return 0, errNoWriter
	}
	src, err := src.checked()
	if err != nil {
		return 0, err
	}
	options, err := o.sql()
	if err != nil {
		return 0, err
	}
	return copyTo(ctx, q, src, copyStatement(src.query, options...), func(ctx context.Context, c *driver.Conn) (string, error) {
		query, err := src.text(ctx, c)
		return copyStatement(query, options...), err
	}, w)
}

// CSVFile is [CSV] into a file of a name, compressed where that ends in .gz. It is written under another name in the same
// folder and renamed when it is complete: a failure leaves what was there before.
func CSVFile(ctx context.Context, q ext.Querier, src Source, name string, o CSVOptions) (rows int64, err error) {
	if rows, err = csvFile(ctx, q, src, name, o); err != nil {
		return 0, fmt.Errorf("copyout: file %q: %w", name, err)
	}
	return rows, nil
}

func csvFile(ctx context.Context, q ext.Querier, src Source, name string, o CSVOptions) (rows int64, err error) {
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:8])
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temporary)
		}
	}()
	if strings.HasSuffix(name, ".gz") {
		rows, err = zipped(ctx, q, src, f, o)
	} else {
		rows, err = copyCSV(ctx, q, src, f, o)
	}
	if err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	if err := f.Close(); err != nil {
		return 0, err
	}
	return rows, os.Rename(temporary, name)
}

func zipped(ctx context.Context, q ext.Querier, src Source, f *os.File, o CSVOptions) (int64, error) {
	z := gzip.NewWriter(f)
	rows, err := copyCSV(ctx, q, src, z, o)
	if err != nil {
		return 0, err
	}
	return rows, z.Close()
}
