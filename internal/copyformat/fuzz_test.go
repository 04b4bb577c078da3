package copyformat_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// rows makes rows of fields from any bytes: a 0xff ends a field, 0xfe a row, and a field of one 0xfd is NULL.
func rows(data []byte) (rows [][][]byte) {
	for _, line := range bytes.Split(data, []byte{0xfe}) {
		var row [][]byte
		for _, field := range bytes.Split(line, []byte{0xff}) {
			if string(field) == "\xfd" {
				row = append(row, nil)
				continue
			}
			row = append(row, append([]byte{}, field...))
		}
		rows = append(rows, row)
	}
	return rows
}

var seeds = []string{"", "\xfd", "a\xffb\xfec\xffd", "\xff\xfd\xff", "\\N\xff\\.", "\\.", "\"\xff'", "\n\xff\r\n\xff\r\xff\t", "a,b\xff\"c\"", "\\\xff\\\\n", "\xfd\xfe\xfd"}

// read reads all rows of a reader, as copies.
func read(t *testing.T, next func() ([][]byte, error)) (all [][][]byte, err error) {
	t.Helper()
	for {
		fields, err := next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		var row [][]byte
		for _, f := range fields {
			if f == nil {
				row = append(row, nil)
				continue
			}
			row = append(row, append([]byte{}, f...))
		}
		all = append(all, row)
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range seeds {
		for _, c := range [][4]byte{{',', '"', '"', 0}, {';', '\'', '\\', 'N'}, {'\t', '"', '\\', 0}} {
			f.Add([]byte(s), c[0], c[1], c[2], string(bytes.Trim(c[3:], "\x00")))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, delimiter, quote, escape byte, null string) {
		csv, err := copyformat.CSV{Delimiter: delimiter, Quote: quote, Escape: escape, Null: null}.Normal()
		if err != nil {
			t.Skip()
		}
		want := rows(data)
		var text []byte
		for _, row := range want {
			text = csv.AppendRow(text, row)
		}
		if csv.Escape == csv.Delimiter || bytes.IndexByte([]byte(null), csv.Escape) >= 0 {
			t.Skip() // the server refuses the first, and reads the second as it can
		}
		got, err := read(t, copyformat.NewCSVReader(bytes.NewReader(text), csv).Next)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	})
}

func FuzzBinary(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want := rows(data)
		text := []byte(copyformat.Header)
		for _, row := range want {
			text = append(text, byte(len(row)>>8), byte(len(row)))
			for _, field := range row {
				if field == nil {
					text = append(text, 0xff, 0xff, 0xff, 0xff)
					continue
				}
				n := len(field)
				text = append(append(text, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), field...)
			}
		}
		text = append(text, copyformat.Trailer...)
		got, err := read(t, copyformat.NewBinaryReader(bytes.NewReader(text)).Next)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		rest, err := copyformat.SkipHeader(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range want {
			var fields [][]byte
			var more bool
			if fields, rest, more, err = copyformat.SplitRow(rest, nil); err != nil || !more || !reflect.DeepEqual(fields, row) {
				t.Fatalf("SplitRow: %q, %v, %v, want %q", fields, more, err, row)
			}
		}
		if _, err := read(t, copyformat.NewBinaryReader(bytes.NewReader(text[:len(text)-1])).Next); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut off: %v", err)
		}
	})
}

// FuzzReaders reads anything: no reader panics or goes on for ever.
func FuzzReaders(f *testing.F) {
	for _, s := range append(seeds, copyformat.Header, copyformat.Header+"\x00\x01\x7f\xff\xff\xff", "\\x\\7\\777\\xg", "a\\\nb\n") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		csv, _ := copyformat.CSV{Escape: '\\'}.Normal()
		read(t, copyformat.NewCSVReader(bytes.NewReader(data), csv).Next)
		read(t, copyformat.NewTextReader(bytes.NewReader(data)).Next)
		read(t, copyformat.NewBinaryReader(bytes.NewReader(data)).Next)
		copyformat.SplitRow(data, nil)
		copyformat.SkipHeader(data)
	})
}

func TestTextIsReadAsTheServerReadsIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want [][]string // "NULL" is NULL
	}{
		{"a\tb\n\\N\t\n", [][]string{{"a", "b"}, {"NULL", ""}}},
		{"\\b\\f\\n\\r\\t\\v\\\\\\q\\\t\n", [][]string{{"\b\f\n\r\t\v\\q\t"}}},
		{"\\101\\x41\\x4\\7\\0\\xg\n", [][]string{{"AA\x04\a\x00xg"}}},
		{"a\\\nb\n", [][]string{{"a\nb"}}},
		{"a\r\nb\r\n", [][]string{{"a"}, {"b"}}},
		{"a\n\\.\nb\n", [][]string{{"a"}}},
		{"\\\\N\tN\n", [][]string{{`\N`, "N"}}},
		{"a", [][]string{{"a"}}},
		{"\n\n", [][]string{{""}, {""}}},
	}
	for _, tt := range tests {
		got, err := read(t, copyformat.NewTextReader(bytes.NewReader([]byte(tt.text))).Next)
		var words [][]string
		for _, row := range got {
			var line []string
			for _, f := range row {
				if f == nil {
					line = append(line, "NULL")
					continue
				}
				line = append(line, string(f))
			}
			words = append(words, line)
		}
		if err != nil || !reflect.DeepEqual(words, tt.want) {
			t.Errorf("%q: %q, %v, want %q", tt.text, words, err, tt.want)
		}
	}
}
