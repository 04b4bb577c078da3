package pgtext_test

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/internal/pgtext"
)

// text and null make items.
func text(s string) pgtext.Item { return pgtext.Item{Text: s} }

var null = pgtext.Item{Null: true}

func TestParseArrayReadsWhatServersWrite(t *testing.T) {
	t.Parallel()
	one := func(n int) []pgtext.Dim { return []pgtext.Dim{{Length: n, Lower: 1}} }
	for in, want := range map[string]struct {
		elems []pgtext.Item
		dims  []pgtext.Dim
	}{
		`{}`:                      {},
		`[1:0]={}`:                {},
		`{1}`:                     {[]pgtext.Item{text("1")}, one(1)},
		`{NULL,"NULL",null}`:      {[]pgtext.Item{null, text("NULL"), null}, one(3)},
		`{"a b","c\"d\\e",""}`:    {[]pgtext.Item{text("a b"), text(`c"d\e`), text("")}, one(3)},
		` { a b , c } `:           {[]pgtext.Item{text("a b"), text("c")}, one(2)},
		`{{1,2},{3,NULL}}`:        {[]pgtext.Item{text("1"), text("2"), text("3"), null}, []pgtext.Dim{{2, 1}, {2, 1}}},
		`[0:1]={a,b}`:             {[]pgtext.Item{text("a"), text("b")}, []pgtext.Dim{{2, 0}}},
		`[-1:0][2:2]={{a},{b}}`:   {[]pgtext.Item{text("a"), text("b")}, []pgtext.Dim{{2, -1}, {1, 2}}},
		`{\N,a\,b}`:               {[]pgtext.Item{text("N"), text("a,b")}, one(2)},
		`{{{{{{x}}}}}}`:           {[]pgtext.Item{text("x")}, []pgtext.Dim{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}},
		`{"(1,\"a,b\")","(2,)"}`:  {[]pgtext.Item{text(`(1,"a,b")`), text("(2,)")}, one(2)},
		`{[1\,2),empty}`:          {[]pgtext.Item{text("[1,2)"), text("empty")}, one(2)},
		`{2024-01-01 00:00:00,x}`: {[]pgtext.Item{text("2024-01-01 00:00:00"), text("x")}, one(2)},
	} {
		elems, dims, err := pgtext.ParseArray(in, ',')
		if err != nil || !reflect.DeepEqual(elems, want.elems) || !reflect.DeepEqual(dims, want.dims) {
			t.Errorf("%s: %v, %v, %v", in, elems, dims, err)
		}
	}
	for _, in := range []string{
		"", "1", "{", "}", "{1", "{1,}", "{,1}", "{1}x", `{"a}`, "{{1},2}", "{1,{2}}", "{{1},{2,3}}", "{{}}", "{{{{{{{x}}}}}}}", `{a"b"}`, "[0:1]={a}", "[0:0={a}",
		"[1:1]{a}", "[0:9999999999]={a}", "[2:1]={a}", "{{1},{}}", "{{},{}}",
	} {
		if elems, dims, err := pgtext.ParseArray(in, ','); err == nil {
			t.Errorf("%s: %v, %v, want an error", in, elems, dims)
		}
	}
	if elems, _, err := pgtext.ParseArray("{(1,2),(3,4);(5,6),(7,8)}", ';'); err != nil || len(elems) != 2 {
		t.Errorf("boxes: %v, %v", elems, err)
	}
}

func TestAppendArrayRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	two := []pgtext.Item{text("a"), text("b")}
	for _, dims := range [][]pgtext.Dim{nil, {{3, 1}}, {{0, 1}}, {{-1, 1}}, {{2, 1}, {2, 1}}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {2, 1}}} {
		if out, err := pgtext.AppendArray(nil, two, dims, ','); err == nil {
			t.Errorf("%v: %s", dims, out)
		}
	}
}

func TestCompositesAndRangesReadWhatServersWrite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]pgtext.Item{
		"(1,a)": {text("1"), text("a")}, "(,)": {null, null}, `("","a""b\\c")`: {text(""), text(`a"b\c`)}, "()": {null}, " (x) ": {text("x")},
		`("(1,""x"")",)`: {text(`(1,"x")`), null}, `(a"b"c)`: {text("abc")}, `( a )`: {text(" a ")},
	} {
		if got, err := pgtext.ParseComposite(in); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "(", "1", "(1", `("1)`, "(1)x", ")", `(1,"a"`} {
		if got, err := pgtext.ParseComposite(in); err == nil {
			t.Errorf("%s: %v", in, got)
		}
	}
	for in, want := range map[string]pgtext.Range{
		"empty": {Empty: true}, "[1,5)": {Lower: text("1"), Upper: text("5"), LowerInc: true}, "(,]": {Lower: null, Upper: null, UpperInc: true},
		`["a,b","")`: {Lower: text("a,b"), Upper: text(""), LowerInc: true}, " EMPTY ": {Empty: true},
	} {
		if got, err := pgtext.ParseRange(in); err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "[", "1,2", "[1,2", "[1)", "[1,2)x", "emptyish", `["a,2)`} {
		if got, err := pgtext.ParseRange(in); err == nil {
			t.Errorf("%s: %v", in, got)
		}
	}
	if got, err := pgtext.ParseMultirange("{[1,2), [3,4)}"); err != nil || len(got) != 2 {
		t.Errorf("multirange: %v, %v", got, err)
	}
	if got, err := pgtext.ParseMultirange("{}"); err != nil || len(got) != 0 {
		t.Errorf("empty multirange: %v, %v", got, err)
	}
	for _, in := range []string{"", "{", "{[1,2)", "{[1,2),}", "{[1,2)}x", "[1,2)"} {
		if got, err := pgtext.ParseMultirange(in); err == nil {
			t.Errorf("%s: %v", in, got)
		}
	}
	for _, in := range []string{`"a"`, `"a"=>`, `"a"=>"b`, `"a"=>"b" "c"`, `=>"b"`, `"a">"b"`, `"a"=>"b"x`} {
		if got, err := pgtext.ParseHstore(in); err == nil {
			t.Errorf("%s: %v", in, got)
		}
	}
}

// FuzzPlainArrays compares the quick readers of plain arrays with ParseArray.
func FuzzPlainArrays(f *testing.F) {
	for _, seed := range []string{
		"{}", "{1,-2,3}", "{9223372036854775807,-9223372036854775808}", "{9223372036854775808}", "{32768}", "{1,NULL}", "{1,}", "{,1}", "{1", "[0:0]={1}", "{{1}}",
		`{a,"b c","d\\"}`, `{null}`, `{"null"}`, "{a b}", `{a"b}`, "{1.5,NaN,-Infinity,1e300}", "{-}", "{--1}", "{ 1}", "{99999999999999999999}", `{"a"b}`, `{"a`, "{-0}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		items, dims, err := pgtext.ParseArray(in, ',')
		check := func(n int, ok bool, at func(int) string) {
			t.Helper()
			if !ok {
				return
			}
			if err != nil || len(dims) > 1 || len(items) != n || n > 0 && dims[0].Lower != 1 {
				t.Fatalf("%q is plain, and %v, %v, %v", in, items, dims, err)
			}
			for i, item := range items {
				if item.Null || at(i) != item.Text && at(i) != "" {
					t.Fatalf("%q: element %d is %q, want %q", in, i, at(i), item.Text)
				}
			}
		}
		texts, ok := pgtext.ParseStrings(in)
		check(len(texts), ok, func(i int) string { return texts[i] })
		ints, ok := pgtext.ParseInts[int64](in)
		check(len(ints), ok, func(i int) string {
			if n, err := strconv.ParseInt(items[i].Text, 10, 64); err != nil || n != ints[i] {
				return "another number"
			}
			return ""
		})
		if small, ok := pgtext.ParseInts[int16](in); ok {
			for i := range small {
				if len(small) != len(ints) || int64(small[i]) != ints[i] {
					t.Fatalf("%q: %v, %v", in, small, ints)
				}
			}
		}
		floats, ok := pgtext.ParseFloats(in)
		check(len(floats), ok, func(i int) string {
			if f, err := strconv.ParseFloat(items[i].Text, 64); err != nil || f != floats[i] && f == f {
				return "another number"
			}
			return ""
		})
	})
}

func TestPlainArraysAreRead(t *testing.T) {
	t.Parallel()
	ints, ok := pgtext.ParseInts[int32]("{1,-2147483648,2147483647}")
	texts, okTexts := pgtext.ParseStrings(`{a,"b c","d\\","",e}`)
	floats, okFloats := pgtext.ParseFloats("{1.5,-Infinity}")
	if !ok || !okTexts || !okFloats || !reflect.DeepEqual(ints, []int32{1, -2147483648, 2147483647}) ||
		!reflect.DeepEqual(texts, []string{"a", "b c", `d\`[:2], "", "e"}) || floats[0] != 1.5 || len(floats) != 2 {
		t.Errorf("%v, %q, %v", ints, texts, floats)
	}
	if edge, ok := pgtext.ParseInts[int64]("{9223372036854775807,-9223372036854775808,0}"); !ok || edge[1] != math.MinInt64 || edge[0] != math.MaxInt64 {
		t.Errorf("the ends of int64: %v, %v", edge, ok)
	}
}

// FuzzParse makes sure that no text causes a panic, and that what is read is written in a form that reads the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{a,"b",NULL}`, `[0:1]={{a},{"b\\"}}`, `(1,"a""b",)`, `[1,"x")`, "empty", `{[1,2),(3,]}`, `"a"=>"b", c=>NULL`, `{\`, `("\`, `{"`, "{ }", "[1:1][1:1]={{ a }}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if elems, dims, err := pgtext.ParseArray(in, ','); err == nil {
			out, err := pgtext.AppendArray(nil, elems, dims, ',')
			if err != nil {
				t.Fatalf("%q: %v", in, err)
			}
			again, shape, err := pgtext.ParseArray(string(out), ',')
			if err != nil || !reflect.DeepEqual(again, elems) || !reflect.DeepEqual(shape, dims) {
				t.Errorf("array %q, %q: %v, %v", in, out, again, err)
			}
		}
		if fields, err := pgtext.ParseComposite(in); err == nil {
			out := pgtext.AppendComposite(nil, fields)
			if again, err := pgtext.ParseComposite(string(out)); err != nil || !reflect.DeepEqual(again, fields) {
				t.Errorf("composite %q, %q: %v, %v", in, out, again, err)
			}
		}
		if r, err := pgtext.ParseRange(in); err == nil {
			out := pgtext.AppendRange(nil, r)
			if again, err := pgtext.ParseRange(string(out)); err != nil || again != r {
				t.Errorf("range %q, %q: %v, %v", in, out, again, err)
			}
		}
		if m, err := pgtext.ParseMultirange(in); err == nil {
			out := pgtext.AppendMultirange(nil, m)
			if again, err := pgtext.ParseMultirange(string(out)); err != nil || !reflect.DeepEqual(again, m) {
				t.Errorf("multirange %q, %q: %v, %v", in, out, again, err)
			}
		}
		if pairs, err := pgtext.ParseHstore(in); err == nil {
			out := pgtext.AppendHstore(nil, pairs)
			if again, err := pgtext.ParseHstore(string(out)); err != nil || !reflect.DeepEqual(again, pairs) && !strings.Contains(in, `\`) {
				t.Errorf("hstore %q, %q: %v, %v", in, out, again, err)
			}
		}
	})
}
