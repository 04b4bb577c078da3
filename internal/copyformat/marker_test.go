package copyformat_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// markedLine reads CSV byte by byte, as servers before PostgreSQL 18 do, and returns the line of the marker, 0 where no
// data is behind one.
func markedLine(data string, csv copyformat.CSV) int64 {
	inside, escaped, start := false, false, true
	lines := map[byte]int{}
	before := byte('\n')
	for i := range len(data) {
		b := data[i]
		if start {
			rest, marked := strings.CutPrefix(data[i:], `\.`)
			if marked && (strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, "\r")) {
				if strings.TrimPrefix(rest, "\r\n") == "" || len(rest) == 1 {
					return 0
				}
				return int64(lines[before]) + 1
			}
		}
		lines[b]++
		switch {
		case inside && escaped:
			escaped = false
		case inside && b == csv.Escape && csv.Escape != csv.Quote:
			escaped = true
		case b == csv.Quote:
			inside = !inside
		}
		if start = !inside && (b == '\n' || b == '\r'); start {
			before = b
		}
	}
	return 0
}

// lookAt gives data to a MarkerFinder in pieces of up to longest bytes.
func lookAt(data string, csv copyformat.CSV, longest int) int64 {
	f := copyformat.NewMarkerFinder(csv, false)
	for random := rand.New(rand.NewPCG(1, uint64(len(data)))); data != ""; {
		n := min(1+random.IntN(longest), len(data))
		if f.Look([]byte(data[:n])) {
			return f.Line()
		}
		data = data[n:]
	}
	return 0
}

func TestMarkerFinder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		data, characters string // quote and escape
		want             int64
	}{
		{"a\n\\.\nb\n", `""`, 2},
		{"a\n\\.\n", `""`, 0},
		{"a\n\\.", `""`, 0},
		{"\\.\nb", `""`, 1},
		{"a\r\n\\.\r\nb\r\n", `""`, 2},
		{"a\r\n\\.\r\n", `""`, 0},
		{"a\r\r\\.\rb\r", `""`, 3},
		{"a\n\\.\n\n", `""`, 2},
		{"a\n\\.x\nx\\.\n\\\\.\nb", `""`, 0},
		{"\"a\n\\.\n\"\nb\n\\.\nc", `""`, 5},
		{"\"a\n\\.\n\"\"\n\\.\n\"\n", `""`, 0},
		{"'a\\'\n\\.\n'\nb\n\\.\nc", `'\`, 5},
		{"a\n\\.\nb\n", `\\`, 2},
		{"a\n\\\n\\.\nb\n", `\\`, 0},
	}
	for _, tt := range tests {
		csv := copyformat.CSV{Delimiter: ',', Quote: tt.characters[0], Escape: tt.characters[1]}
		for longest := 1; longest <= len(tt.data)+1; longest++ {
			if got := lookAt(tt.data, csv, longest); got != tt.want {
				t.Errorf("%q with %s, pieces of up to %d: line %d, want %d", tt.data, tt.characters, longest, got, tt.want)
			}
		}
		if got := markedLine(tt.data, csv); got != tt.want {
			t.Errorf("%q with %s: the model of the test says line %d, want %d", tt.data, tt.characters, got, tt.want)
		}
	}
	f := copyformat.NewMarkerFinder(copyformat.CSV{Quote: '"', Escape: '"'}, true)
	if !f.Look([]byte("\"a\n\\.\nb\"\n")) || f.Line() != 2 {
		t.Errorf("blind for quotes: line %d", f.Line())
	}
}

func FuzzMarkerFinder(f *testing.F) {
	for _, characters := range []string{`""`, `'\`, `\\`, `\"`} {
		for longest := range 4 {
			f.Add("a,\"b\n\\.\n\"\n\\.\r\n\\.\nc\n", characters, uint8(longest))
		}
	}
	f.Fuzz(func(t *testing.T, data, characters string, longest uint8) {
		if len(characters) != 2 {
			return
		}
		csv, err := (copyformat.CSV{Delimiter: ',', Quote: characters[0], Escape: characters[1]}).Normal()
		if err != nil {
			return
		}
		want := markedLine(data, csv)
		if got := lookAt(data, csv, int(longest)+1); got != want {
			t.Errorf("%q with %q: line %d, want %d", data, fmt.Sprintf("%c%c", csv.Quote, csv.Escape), got, want)
		}
	})
}
