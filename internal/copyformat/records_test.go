package copyformat_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/internal/copyformat"
)

func TestRecordEnds(t *testing.T) {
	t.Parallel()
	backslash := copyformat.CSV{Escape: '\\'}
	for _, tt := range []struct {
		csv  copyformat.CSV
		data string
		end  byte
		want []int
	}{
		{copyformat.CSV{}, "a,b\nc\n", '\n', []int{4, 6}},
		{copyformat.CSV{}, "\"a\nb\",c\nd", '\n', []int{8}},
		{copyformat.CSV{}, "\"a\"\"\n\"\nb\n", '\n', []int{7, 9}},
		{copyformat.CSV{}, "a\"b\n\"c\n", '\n', []int{7}},
		{copyformat.CSV{}, "a\r\"\r\"\rb", '\r', []int{2, 6}},
		{copyformat.CSV{}, "a\r\n\"\r\n\"\r\n", '\n', []int{3, 9}},
		{backslash, "\"a\\\"\n\"\nb\n", '\n', []int{7, 9}},
		{backslash, "\"a\\\\\"\nb\n", '\n', []int{6, 8}},
		{backslash, "a\\\"\n\"\nb\n", '\n', []int{6, 8}},
	} {
		csv, err := tt.csv.Normal()
		if err != nil {
			t.Fatal(err)
		}
		if end, ok := csv.LineEnd([]byte(tt.data)); !ok || end != tt.end {
			t.Errorf("%q: line end %q, %v, want %q", tt.data, end, ok, tt.end)
		}
		if got := csv.AppendEnds(nil, []byte(tt.data), copyformat.Outside, tt.end); !slices.Equal(got, tt.want) {
			t.Errorf("%q: records end at %d, want %d", tt.data, got, tt.want)
		}
	}
}

func TestLineEndIsNotGuessed(t *testing.T) {
	t.Parallel()
	csv, _ := copyformat.CSV{}.Normal()
	for _, data := range []string{"", "a,b", "a\r", "\"a\n", "\"\r\n"} {
		if end, ok := csv.LineEnd([]byte(data)); ok {
			t.Errorf("%q: line end %q", data, end)
		}
	}
}

// FuzzRecordEnds cuts data into three pieces, looks at each by itself, and compares with the whole; and the records with those that
// the CSV reader finds.
func FuzzRecordEnds(f *testing.F) {
	for _, seed := range []string{"a,b\nc,d\n", "\"a\n\"\"b\",c\r\nd\r\n", "\"\\\"\n\",a\n\\", "\"\n", "a\rb\r", "\n\n\n"} {
		f.Add([]byte(seed), uint8(1), uint8(3), true)
		f.Add([]byte(seed), uint8(0), uint8(2), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, a, b uint8, own bool) {
		csv := copyformat.CSV{}
		if own {
			csv.Escape = '\\'
		}
		csv, _ = csv.Normal()
		end, ok := csv.LineEnd(data)
		if !ok {
			return
		}
		whole := csv.AppendEnds(nil, data, copyformat.Outside, end)
		x, y := min(int(a), len(data)), min(int(a)+int(b), len(data))
		var pieces []int
		state, at := copyformat.Outside, 0
		for _, piece := range [][]byte{data[:x], data[x:y], data[y:]} {
			for _, e := range csv.AppendEnds(nil, piece, state, end) {
				pieces = append(pieces, at+e)
			}
			state, at = csv.Through(piece)[state], at+len(piece)
		}
		if !slices.Equal(whole, pieces) {
			t.Fatalf("%q cut at %d and %d: records end at %d, want %d", data, x, y, pieces, whole)
		}
		if bytes.Contains(data, []byte(`\.`)) {
			return
		}
		text := string(data)
		pairs, lf, cr := strings.Count(text, "\r\n"), strings.Count(text, "\n"), strings.Count(text, "\r")
		if cr > 0 && (cr != pairs || lf != pairs) { // other line ends than the first are an error of the server's
			return
		}
		r, n := copyformat.NewCSVReader(bytes.NewReader(data), csv), 0
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			n++
		}
		if want := len(whole); n != want && n != want+1 || n == want+1 && whole[want-1] == len(data) {
			t.Errorf("%q: %d records end, the reader finds %d", data, want, n)
		}
	})
}
