package copyin

import (
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/ext"
)

// Format is how rows travel.
type Format int

// The formats. Auto is binary where every column has a binary form for the Go values that fill it, else text: the text of
// a value stores the same, in more bytes.
const (
	Auto Format = iota
	Text
	Binary
	CSVFormat // of encoders and writers
)

// String is the format's name in SQL.
func (f Format) String() string {
	switch f {
	case Text:
		return "text"
	case Binary:
		return "binary"
	case CSVFormat:
		return "csv"
	}
	return "auto"
}

// Options say how rows are copied. The zero value fills all columns that the rows have.
type Options struct {
	Columns []string // the columns that are filled, in this order; nil for those of the rows
	Format  Format   // Auto chooses; Text and Binary force
	Freeze  bool     // FREEZE: for a table made or truncated in the same transaction
	Report  *Report  // filled when it is not nil
}

// Report tells how rows were copied.
type Report struct {
	Format  Format   // that was used
	Columns []string // that were filled
	Bytes   int64    // that were sent
}

// checkColumns refuses names that no column has, and one that is named twice.
func checkColumns(columns []string) error {
	seen := make(map[string]bool, len(columns))
	for _, c := range columns {
		if err := ext.CheckName(c); err != nil {
			return fmt.Errorf("column %q: %w", c, err)
		}
		if seen[c] {
			return fmt.Errorf("column %q is named twice", c)
		}
		seen[c] = true
	}
	return nil
}

// statement is the text of a COPY into a table. nil columns are all of them.
func statement(table ext.Name, columns []string, options ...string) string {
	var b strings.Builder
	b.WriteString("copy " + table.String())
	for i, c := range columns {
		b.WriteString([]string{" (", ", "}[min(i, 1)] + ext.QuoteName(c))
	}
	if len(columns) > 0 {
		b.WriteByte(')')
	}
	b.WriteString(" from stdin")
	for i, o := range options {
		b.WriteString([]string{" (", ", "}[min(i, 1)] + o)
	}
	if len(options) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// options are those of a COPY of rows in a format.
func (o Options) options(f Format) []string {
	var options []string
	if f == Binary || f == CSVFormat {
		options = append(options, "format "+f.String())
	}
	if o.Freeze {
		options = append(options, "freeze")
	}
	return options
}
