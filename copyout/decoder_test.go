package copyout_test

import (
	"bytes"
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
)

// formats are the formats of encoders with those of decoders.
var formats = []struct {
	in  copyin.EncoderOptions
	out copyout.DecoderOptions
	sql string
}{
	{copyin.EncoderOptions{Format: copyin.Text}, copyout.DecoderOptions{Format: copyout.Text}, ""},
	{copyin.EncoderOptions{Format: copyin.Binary}, copyout.DecoderOptions{Format: copyout.Binary}, "format binary"},
	{copyin.EncoderOptions{Format: copyin.CSVFormat}, copyout.DecoderOptions{Format: copyout.CSVFormat}, "format csv"},
	{
		copyin.EncoderOptions{Format: copyin.CSVFormat, Delimiter: ';', Quote: '\'', Escape: '\\', Null: "NIL", Header: []string{"a;", "b", "c", "d", "e"}},
		copyout.DecoderOptions{Format: copyout.CSVFormat, Delimiter: ';', Quote: '\'', Escape: '\\', Null: "NIL", Header: true},
		`format csv, delimiter ';', quote '''', escape '\', null 'NIL', header`,
	},
}

var streamTypes = []uint32{25, 20, 701, 1184, 17} // text, int8, float8, timestamptz, bytea

// encode writes rows in a format.
func encode(t testing.TB, o copyin.EncoderOptions, rows ...[]any) []byte {
	t.Helper()
	var b bytes.Buffer
	o.Types = streamTypes
	e, err := copyin.NewEncoder(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := e.WriteRow(row...); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzEncodeDecode(f *testing.F) {
	for _, s := range []string{"", `\N`, `\.`, "a\tb\nc\r\n", `"`, `""`, "NIL", "'", `\`, "é", ";,"} {
		f.Add(s, int64(-5), 1.5, int64(1714979289123456), []byte(s), true, false)
	}
	f.Fuzz(func(t *testing.T, s string, n int64, x float64, micros int64, b []byte, null, two bool) {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 || x != x || micros > 1<<52 || micros < 0 {
			t.Skip()
		}
		if b == nil {
			b = []byte{}
		}
		row := []any{s, n, x, time.UnixMicro(micros), b}
		rows := [][]any{row}
		if null {
			rows = append(rows, make([]any, len(row)))
		}
		if two {
			rows = append(rows, row)
		}
		for _, format := range formats {
			stream := encode(t, format.in, rows...)
			o := format.out
			o.Types = streamTypes
			d, err := copyout.NewDecoder(bytes.NewReader(stream), o)
			if err != nil {
				t.Fatal(err)
			}
			if header, err := d.Header(); err != nil || !reflect.DeepEqual(header, format.in.Header) {
				t.Errorf("header %q, %v", header, err)
			}
			var got [][]any
			for row, err := range d.Rows() {
				if err != nil {
					t.Fatalf("%s: %q: %v", format.sql, stream, err)
				}
				if at, ok := row[3].(time.Time); ok {
					row[3] = at.Local()
				}
				got = append(got, row)
			}
			if !reflect.DeepEqual(got, rows) {
				t.Errorf("%s: %q is read as %#v, want %#v", format.sql, stream, got, rows)
			}
		}
	})
}

// TestServerReadsAndWritesTheSameStreams is the encoders and decoders against the server's own.
func TestServerReadsAndWritesTheSameStreams(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (a text, b int8, c float8, d timestamptz, e bytea)")
	var rows [][]any
	for i, s := range []string{"", `\N`, `\.`, "a\tb\nc\r\n", "\r", `"`, `""`, "NIL", "'", `\`, `\\`, "é☃", ";,", " ", "\u0001\u007f"} {
		rows = append(rows, []any{s, int64(i), float64(i) / 3, time.UnixMicro(1714979289123456).Add(time.Duration(i) * time.Hour), []byte(s + "\x00\xff")})
	}
	rows = append(rows, make([]any, 5))
	for _, format := range formats {
		options := ""
		if format.sql != "" {
			options = " (" + format.sql + ")"
		}
		mustExec(t, db, "truncate t")
		stream := encode(t, format.in, rows...)
		if n, err := copyin.From(context.Background(), db, "copy t from stdin"+options, bytes.NewReader(stream)); err != nil || n != int64(len(rows)) {
			t.Errorf("%s: %d, %v", format.sql, n, err)
			continue
		}
		var back bytes.Buffer
		if _, err := copyout.To(context.Background(), db, "copy (select * from t order by b nulls last) to stdout"+options, &back); err != nil {
			t.Fatal(err)
		}
		o := format.out
		o.Types = streamTypes
		d, err := copyout.NewDecoder(&back, o)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for row, err := range d.Rows() {
			if err != nil {
				t.Fatalf("%s: %v", format.sql, err)
			}
			want := rows[i]
			if at, ok := row[3].(time.Time); ok && at.Equal(want[3].(time.Time)) {
				row[3] = want[3]
			}
			if !reflect.DeepEqual(row, want) {
				t.Errorf("%s: row %d is %#v, want %#v", format.sql, i, row, want)
			}
			i++
		}
		if i != len(rows) {
			t.Errorf("%s: %d rows", format.sql, i)
		}
	}
}

func TestBadStreamsAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		o    copyout.DecoderOptions
		data string
	}{
		"signature": {copyout.DecoderOptions{Format: copyout.Binary}, "PGDUMP and more than that"},
		"cut off":   {copyout.DecoderOptions{Format: copyout.Binary}, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"},
		"quote":     {copyout.DecoderOptions{Format: copyout.CSVFormat}, "\"a\n"},
		"columns":   {copyout.DecoderOptions{Types: []uint32{25}}, "a\tb\n"},
		"value":     {copyout.DecoderOptions{Types: []uint32{20}}, "x\n"},
	} {
		d, err := copyout.NewDecoder(strings.NewReader(tt.data), tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if row, err := d.Values(); err == nil || err == io.EOF {
			t.Errorf("%s: %v, %v", name, row, err)
		}
	}
	if _, err := copyout.NewDecoder(nil, copyout.DecoderOptions{Format: copyout.CSVFormat, Delimiter: '"'}); err == nil {
		t.Error("delimiter and quote are the same")
	}
	if _, err := copyin.NewEncoder(io.Discard, copyin.EncoderOptions{Format: copyin.Binary}); err == nil {
		t.Error("binary without types")
	}
	e, _ := copyin.NewEncoder(io.Discard, copyin.EncoderOptions{Format: copyin.Binary, Types: []uint32{23}})
	for _, row := range [][]any{{1, 2}, {1.5}, {int64(1) << 40}, {"x"}} {
		if err := e.WriteRow(row...); err == nil {
			t.Errorf("%v was accepted", row)
		}
		e, _ = copyin.NewEncoder(io.Discard, copyin.EncoderOptions{Format: copyin.Binary, Types: []uint32{23}})
	}
}
