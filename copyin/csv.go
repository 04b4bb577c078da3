package copyin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// Header says what the first line of a CSV file is.
type Header int

// What a first line can be.
const (
	HeaderMap   Header = iota // the names of the columns, in any order: they say which field fills which column
	HeaderMatch               // the names of the columns that are filled, in their order, or the file is refused
	HeaderSkip                // it is passed over
	HeaderNone                // a row
)

// CSVOptions describe a CSV file and where its fields go. The zero value is a file with a header of column names, commas,
// double quotes, and nothing between two commas for NULL.
type CSVOptions struct {
	Columns []string          // the columns that are filled, in this order; nil for those of the header, or of the table
	Header  Header            // what the first line is
	Mapping map[string]string // for HeaderMap: the column that a name of the header stands for, where it is another

	HeaderLines int // of how many lines the header is; 0 is 1. The first has the names, the others are passed over

	Delimiter byte     // 0 is a comma
	Quote     byte     // 0 is a double quote
	Escape    byte     // 0 is the quote: it is doubled
	Null      string   // what stands for NULL, without quotes
	ForceNull []string // columns in which Null means NULL with quotes too
	NotNull   []string // columns in which Null is a text
	Encoding  string   // of the file, as PostgreSQL names it ("latin1"); "" is UTF-8
	Freeze    bool     // FREEZE: for a table made or truncated in the same transaction
}

// CSV copies the rows of a CSV file into a table and returns how many the server has stored. A file compressed by gzip is
// recognised, as is a byte order mark. The server reads the rows, so their quirks are those of its COPY. Before PostgreSQL 18 a
// line \. that is no part of a quoted value ends the data: as the last line it is passed over, with data behind it it is an error.
// Later servers take it for a row. The error of a row is a *[RowError] with the line of the file. r is read as [From] reads it,
// and its error comes back unchanged.
func CSV(ctx context.Context, q ext.Querier, table string, r io.Reader, o CSVOptions) (int64, error) {
	return copyCSV(ctx, q, table, r, o, isSafe(r))
}

// CSVFile is [CSV] for a file of a name.
func CSVFile(ctx context.Context, q ext.Querier, table, name string, o CSVOptions) (int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, fmt.Errorf("copyin: table %q: %w", table, err)
	}
	defer f.Close()
	return copyCSV(ctx, q, table, ownFile{f}, o, true)
}

func copyCSV(ctx context.Context, q ext.Querier, table string, r io.Reader, o CSVOptions, safe bool) (int64, error) {
	job := &csvJob{options: o}
	rows, err := job.run(ctx, q, table, r, safe)
	if err != nil {
		return 0, wrapReader(fmt.Sprintf("copyin: table %q", table), err, job.table.Name, job.filled, job.lines)
	}
	return rows, nil
}

// csvJob is the copying of a CSV file.
type csvJob struct {
	options CSVOptions
	csv     copyformat.CSV
	table   ext.Name
	columns []string // that are filled, nil for those of the table
	filled  []string // those that are filled
	names   []string // of the header
	header  []string // that has to match, nil for none
	lines   int64    // that were read of the file before the server gets the rest
	end     byte     // the last byte of the file's line ends, 0 while it is not known
}

func (j *csvJob) run(ctx context.Context, q ext.Querier, table string, r io.Reader, safe bool) (rows int64, err error) {
	if j.table, err = ext.ParseName(table); err != nil {
		return 0, err
	}
	data, err := j.open(r)
	if err != nil {
		return 0, err
	}
	blind := checkSplit(j.csv, j.options.Encoding) != nil
	guard := &markerGuard{r: data, finder: copyformat.NewMarkerFinder(j.csv, blind)}
	return copyReader(ctx, q, statement(j.table, j.columns, "format csv"), func(ctx context.Context, c *driver.Conn) (*driver.CopyIn, error) {
		if err := guard.serve(c); err != nil {
			return nil, err
		}
		return j.start(ctx, c)
	}, guard, safe)
}

// open checks the options, reads the header of r, and returns what is behind it.
func (j *csvJob) open(r io.Reader) (data *bufio.Reader, err error) {
	if r == nil {
		return nil, errNoSource
	}
	o := &j.options
	if j.csv, err = (copyformat.CSV{Delimiter: o.Delimiter, Quote: o.Quote, Escape: o.Escape, Null: o.Null}).Normal(); err != nil {
		return nil, err
	}
	switch {
	case o.Header < HeaderMap || o.Header > HeaderNone:
		return nil, fmt.Errorf("Header is %d", o.Header)
	case len(o.Mapping) > 0 && o.Header != HeaderMap:
		return nil, errors.New("a Mapping needs HeaderMap")
	case o.HeaderLines > 1 && o.Header == HeaderNone:
		return nil, errors.New("HeaderLines, but HeaderNone")
	case o.HeaderLines < 0:
		return nil, fmt.Errorf("a header of %d lines", o.HeaderLines)
	}
	if data, err = plainText(r); err != nil {
		return nil, err
	}
	if err := j.readHeader(data); err != nil {
		return nil, err
	}
	return data, checkColumns(j.columns)
}

// readHeader reads the first line, and finds the columns.
func (j *csvJob) readHeader(data *bufio.Reader) error {
	o := &j.options
	j.columns = o.Columns
	if o.Header == HeaderNone {
		return nil
	}
	lines := copyformat.NewCSVReader(data, j.csv)
	fields, err := lines.Next()
	j.lines, j.end = lines.Line, lines.LineEnd()
	switch {
	case err == io.EOF && o.Header == HeaderSkip:
		return nil
	case err == io.EOF:
		return fmt.Errorf("the file is empty: it has no header")
	case err != nil:
		return fmt.Errorf("header: %w", err)
	}
	j.names = make([]string, len(fields))
	for i, f := range fields {
		j.names[i] = string(f)
	}
	for range o.HeaderLines - 1 {
		if _, err := lines.Next(); err != nil && err != io.EOF {
			return fmt.Errorf("header: %w", err)
		}
		j.lines = lines.Line
	}
	switch o.Header {
	case HeaderSkip:
		return nil
	case HeaderMatch:
		j.header = j.names
		return nil
	}
	return j.mapHeader(j.names)
}

// mapHeader makes the names of the header the columns that are filled.
func (j *csvJob) mapHeader(names []string) error {
	o := &j.options
	for name := range o.Mapping {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the header has no %q, which Mapping names: it has %s", name, strings.Join(names, ", "))
		}
	}
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = name
		if column, ok := o.Mapping[name]; ok {
			columns[i] = column
		}
		if o.Columns != nil && !slices.Contains(o.Columns, columns[i]) {
			return fmt.Errorf("the header has a column %q, which is none of Columns", columns[i])
		}
	}
	for _, name := range o.Columns {
		if !slices.Contains(columns, name) {
			return fmt.Errorf("the header has no column %q", name)
		}
	}
	j.columns = columns
	return nil
}

// start starts the COPY, and checks the header against the table on the way.
func (j *csvJob) start(ctx context.Context, c *driver.Conn) (*driver.CopyIn, error) {
	text := statement(j.table, j.columns, j.copyOptions()...)
	ci, err := c.CopyInChecked(ctx, text, columnsQuery(c), j.table.String(), func(rows [][]string) error {
		if len(rows) == 0 {
			return errOutdated
		}
		return j.check(&target{table: j.table, columns: columnsOf(rows)})
	})
	if err != errOutdated {
		return ci, err
	}
	if err := j.prepare(ctx, c); err != nil { // which says what is wrong with the table
		return nil, err
	}
	return c.CopyIn(ctx, text)
}

// prepare looks the table up, and checks the header against it.
func (j *csvJob) prepare(ctx context.Context, c *driver.Conn) error {
	t, err := lookUp(ctx, c, j.table)
	if err != nil {
		return err
	}
	return j.check(t)
}

func (j *csvJob) check(t *target) error {
	filled, err := t.pick(j.columns)
	if err != nil {
		return err
	}
	if j.filled = names(filled); j.header != nil && !slices.Equal(j.header, j.filled) {
		return fmt.Errorf("the header is %q, which does not match the columns %q", j.header, j.filled)
	}
	return nil
}

func (j *csvJob) copyOptions() []string {
	o := &j.options
	options := j.csv.Options()
	for _, force := range []struct {
		name    string
		columns []string
	}{{"force_null", o.ForceNull}, {"force_not_null", o.NotNull}} {
		if len(force.columns) > 0 {
			options = append(options, force.name+" ("+quoteList(force.columns)+")")
		}
	}
	if o.Encoding != "" {
		options = append(options, "encoding "+copyformat.Literal(o.Encoding))
	}
	if o.Freeze {
		options = append(options, "freeze")
	}
	return options
}
