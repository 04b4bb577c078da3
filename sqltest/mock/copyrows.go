package mock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// copyFormat is the format of a COPY.
type copyFormat struct {
	name   string // text, csv, binary
	header bool
	null   *string
	csv    copyformat.CSV
}

func (f copyFormat) code() byte {
	if f.name == "binary" {
		return 1
	}
	return 0
}

// formatOfCopy reads the options of a COPY that matter for its data.
func formatOfCopy(ct driver.CopyText) copyFormat {
	f := copyFormat{name: "text"}
	for i, o := range ct.Options {
		next := ""
		if i+1 < len(ct.Options) {
			next = ct.Options[i+1]
		}
		switch o {
		case "csv", "binary":
			f.name = o
		case "header":
			f.header = next != "false" && next != "off"
		case "null":
			f.null, f.csv.Null = &next, next
		case "delimiter":
			if next != "" {
				f.csv.Delimiter = next[0]
			}
		}
	}
	return f
}

// rowSource reads the rows of COPY's formats.
type rowSource interface{ Next() ([][]byte, error) }

// decode reads rows. Those ahead of an error come with it.
func (e *expectation) decode(format copyFormat, data []byte) (rows [][]any, err error) {
	codec := driver.NewCopyCodec()
	decode := codec.DecodeText
	var source rowSource
	switch format.name {
	case "binary":
		source, decode = copyformat.NewBinaryReader(bytes.NewReader(data)), codec.DecodeBinary
	case "csv":
		csv, err := format.csv.Normal()
		if err != nil {
			return nil, err
		}
		source = copyformat.NewCSVReader(bytes.NewReader(data), csv)
	default:
		source = copyformat.NewTextReader(bytes.NewReader(data))
	}
	for first := true; ; first = false {
		fields, err := source.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if first && format.header {
			continue
		}
		row, err := e.decodeRow(format, fields, decode)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

func (e *expectation) decodeRow(format copyFormat, fields [][]byte, decode func(uint32, []byte) (any, error)) ([]any, error) {
	if len(fields) != len(e.names) && !(e.copied.any && e.names == nil) {
		return nil, fmt.Errorf("%d values for %d columns", len(fields), len(e.names))
	}
	row := make([]any, len(fields))
	for i, b := range fields {
		if b == nil || format.null != nil && strings.EqualFold(string(b), *format.null) {
			continue
		}
		v, err := decode(e.copied.typeAt(i), bytes.Clone(b))
		if err != nil {
			return nil, &pgconn.PgError{Severity: "ERROR", Code: "22P02", Message: err.Error()}
		}
		row[i] = v
	}
	return row, nil
}
