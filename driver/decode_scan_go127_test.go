//go:build go1.27

package driver

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"
	"uuid"

	"github.com/jackc/pgx/v5/pgtype"
)

// upper is a Scanner of its own.
type upper struct {
	calls int
	src   any
}

func (u *upper) Scan(src any) error {
	u.calls++
	u.src = src
	if src == nil {
		return errors.New("no NULL")
	}
	return nil
}

// destinations make a fresh pointer of each kind that database/sql fills.
var destinations = []func() any{
	func() any { return new(any) }, func() any { return new(string) }, func() any { return new([]byte) }, func() any { return new(bool) },
	func() any { return new(int) }, func() any { return new(int8) }, func() any { return new(int16) }, func() any { return new(int32) }, func() any { return new(int64) },
	func() any { return new(uint) }, func() any { return new(uint8) }, func() any { return new(uint16) }, func() any { return new(uint32) }, func() any { return new(uint64) },
	func() any { return new(float32) }, func() any { return new(float64) }, func() any { return new(time.Time) }, func() any { return new(uuid.UUID) },
	func() any { return new(sql.NullString) }, func() any { return new(sql.NullInt64) }, func() any { return new(sql.NullInt32) }, func() any { return new(sql.NullInt16) },
	func() any { return new(sql.NullBool) }, func() any { return new(sql.NullFloat64) }, func() any { return new(sql.NullTime) }, func() any { return new(sql.Null[string]) },
	func() any { return new(sql.Null[int64]) }, func() any { return new(*string) }, func() any { return new(*int64) }, func() any { return new(**time.Time) },
	func() any { return new(word) }, func() any { return new(color) }, func() any { return new(named) }, func() any { return new(json.RawMessage) }, func() any { return new(upper) },
	func() any { return new(pgtype.Text) }, func() any { return new(pgtype.Numeric) }, func() any { return new(pgtype.Interval) }, func() any { return (*string)(nil) }, func() any { return 5 }, func() any { return nil },
}

// isFiner tells whether scanColumn knows more than Next and Scan.
func isFiner(col wireColumn, dest any) bool {
	if t := reflect.TypeOf(dest); t == nil || t.Kind() != reflect.Pointer || reflect.ValueOf(dest).IsNil() {
		return false
	}
	t := reflect.TypeOf(dest)
	for t.Elem().Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, ok := finerValue(col.oid, col.format, col.raw, reflect.New(t.Elem()).Interface())
	return ok
}

func TestScanColumnEqualsNextAndScan(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	ctx := sqldriver.ScanContext{}
	for _, c := range []*codecs{pgxCodecs(), pqCodecs()} {
		for _, expression := range expressions {
			for _, format := range []int16{textFormat, c.resultFormat(server.mustQuery(expression, textFormat).oid)} {
				col := server.mustQuery(expression, format)
				for _, make := range destinations {
					want, got := make(), make()
					value, err := decode(c, col)
					if err != nil {
						t.Fatal(err)
					}
					wantErr := catch(func() error { return sql.ConvertAssign(ctx, want, value) })
					gotErr := catch(func() error { return c.scanColumn(ctx, col.oid, col.format, col.raw, got) })
					if wantErr != nil && isFiner(col, got) {
						continue
					}
					if fmt.Sprint(wantErr) != fmt.Sprint(gotErr) || !sameDestination(got, want) {
						t.Errorf("compat=%s: %s in format %d into %T = %v (%v), want %v (%v)", c.compat, expression, format, got, showValue(got), gotErr, showValue(want), wantErr)
					}
				}
			}
		}
	}
}

// catch turns a panic of database/sql, which some nil destinations cause, into the error that we give instead.
func catch(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("destination pointer is nil")
		}
	}()
	return f()
}

// show is what a destination points to, through all pointers.
func showValue(dest any) any {
	rv := reflect.ValueOf(dest)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if !rv.IsValid() {
		return nil
	}
	return rv.Interface()
}

func sameDestination(a, b any) bool {
	x, y := showValue(a), showValue(b)
	return sameValue(x, y) || fmt.Sprintf("%#v", x) == fmt.Sprintf("%#v", y) // NaN is equal as text
}

func TestScanColumnFillsGoValues(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	c := newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, func() *time.Location { return zone })
	id := [16]byte{15: 1}
	for _, tt := range []struct {
		expression string
		want       any // what the destination points to
	}{
		{"'{1,2}'::int4[]", []int64{1, 2}},
		{"'{1,NULL}'::int4[]", []*int32{ptr(int32(1)), nil}},
		{"'{{1,2},{3,4}}'::int8[]", [][]int{{1, 2}, {3, 4}}},
		{"'{}'::text[]", []string{}},
		{"NULL::text[]", []string(nil)},
		{"array['a \"b', '']", []string{`a "b`, ""}},
		{"array['ok', 'very happy']::pg_temp.mood[]", []string{"ok", "very happy"}},
		{"array[1, NULL]", []sql.NullInt64{{Int64: 1, Valid: true}, {}}},
		{"array['2020-01-02 03:04:05+05:30'::timestamptz]", []time.Time{at(0)}},
		{"'{1.5}'::float8[]", []float64{1.5}},
		{"'{1,2,3}'::int4[]", [3]int{1, 2, 3}},
		{"array['\\x01'::bytea]", [][]byte{{1}}},
		{"'{\"a\": 1}'::jsonb", document{1}},
		{"'{\"a\": 1}'::json", &document{1}},
		{"NULL::json", (*document)(nil)},
		{"'null'::jsonb", (*document)(nil)}, // as encoding/json has it
		{"'null'::json", (*[2]int)(nil)},
		{"'null'::jsonb", ptr("null")},
		{"'{\"a\": [1]}'::jsonb", map[string]any{"a": []any{1.0}}},
		{"'[1,2]'::jsonb", []int{1, 2}},
		{"'00000000-0000-0000-0000-000000000001'::uuid", id},
		{"'00000000-0000-0000-0000-000000000001'::uuid", digest(id)},
		{"'00000000-0000-0000-0000-000000000001'::uuid", uuid.UUID(id)},
		{"'00000000-0000-0000-0000-000000000001'::uuid", &id},
		{"interval '-1 day -02:03:04.5'", -26*time.Hour - 3*time.Minute - 4500*time.Millisecond},
		{"interval '100000:00:00'", 100000 * time.Hour},
		{"interval '2 days'", 48 * time.Hour},
		{"'03:04:05.6'::time", 3*time.Hour + 4*time.Minute + 5600*time.Millisecond},
		{"'03:04:05'::time", time.Date(0, 1, 1, 3, 4, 5, 0, time.UTC)},
		{"'7.00'::numeric", 7},
		{"'a=>1'::hstore", map[string]string{"a": "1"}},
		{"'a=>NULL'::hstore", map[string]*string{"a": nil}},
		{"int4range(1,5)", pgtype.Range[int32]{Lower: 1, Upper: 5, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true}},
		{"'10.0.0.1'::inet", netip.MustParseAddr("10.0.0.1")},
		{"'10.0.0.0/8'::cidr", netip.MustParsePrefix("10.0.0.0/8")},
		{"'{a}'::text[]", sql.Null[[]string]{V: []string{"a"}, Valid: true}},
		{"NULL::text[]", sql.Null[[]string]{}},
	} {
		dest := reflect.New(reflect.TypeOf(tt.want))
		expression := tt.expression
		format := c.resultFormat(server.mustQuery(expression, textFormat).oid)
		for _, format := range []int16{textFormat, format} {
			col := server.mustQuery(expression, format)
			if err := c.scanColumn(sqldriver.ScanContext{}, col.oid, col.format, col.raw, dest.Interface()); err != nil {
				t.Errorf("%s into %s: %v", expression, dest.Type(), err)
				continue
			}
			if got := dest.Elem().Interface(); !reflect.DeepEqual(got, tt.want) && !(fmt.Sprint(got) == fmt.Sprint(tt.want) && dest.Type() == reflect.TypeFor[*[]time.Time]()) {
				t.Errorf("%s in format %d = %#v, want %#v", expression, format, got, tt.want)
			}
		}
	}
}

func TestScanColumnRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	c := pgxCodecs()
	for _, tt := range []struct {
		expression string
		dest       any
	}{
		{"'{1,NULL}'::int4[]", new([]int)},
		{"'{70000}'::int4[]", new([]int16)},
		{"interval '1 mon'", new(time.Duration)},
		{"interval '3000000:00:00'", new(time.Duration)},
		{"interval '106751 days 24:00:00'", new(time.Duration)},
		{"'7.5'::numeric", new(int)},
		{"'a=>NULL'::hstore", new(map[string]string)},
		{"'{'::text", new(document)},
		{"'[1]'::json", new(document)},
		{"'x'::text", new([16]byte)},
		{"NULL::uuid", new([16]byte)},
		{"'infinity'::timestamptz", new(time.Time)},
	} {
		col := server.mustQuery(tt.expression, c.resultFormat(server.mustQuery(tt.expression, textFormat).oid))
		if err := c.scanColumn(sqldriver.ScanContext{}, col.oid, col.format, col.raw, tt.dest); err == nil {
			t.Errorf("%s into %T gave %v", tt.expression, tt.dest, showValue(tt.dest))
		}
	}
}

func TestScanColumnCallsScannersOnce(t *testing.T) {
	t.Parallel()
	var u upper
	if err := pgxCodecs().scanColumn(sqldriver.ScanContext{}, pgtype.TextArrayOID, textFormat, []byte("{a}"), &u); err != nil || u.calls != 1 || u.src != "{a}" {
		t.Errorf("%d calls with %#v (%v)", u.calls, u.src, err)
	}
}

func TestScanColumnClearsDestinationsForNULL(t *testing.T) {
	t.Parallel()
	c := pgxCodecs()
	for oid, dest := range map[uint32]any{
		pgtype.TextArrayOID: &sql.Null[[]string]{V: []string{"old"}, Valid: true},
		pgtype.Int4ArrayOID: &[]int{1},
		pgtype.JSONBOID:     &map[string]any{"old": 1},
		pgtype.Int4OID:      ptr(ptr(1)),
	} {
		if err := c.scanColumn(sqldriver.ScanContext{}, oid, textFormat, nil, dest); err != nil || !reflect.ValueOf(dest).Elem().IsZero() {
			t.Errorf("NULL of type %d left %v (%v)", oid, dest, err)
		}
	}
}

func TestScanColumnForgetsTheRowBefore(t *testing.T) {
	t.Parallel()
	c := pgxCodecs()
	m := map[string]any{}
	for _, src := range []string{`{"a":1}`, `{"b":2}`} {
		if err := c.scanColumn(sqldriver.ScanContext{}, pgtype.JSONBOID, textFormat, []byte(src), &m); err != nil {
			t.Fatal(err)
		}
	}
	if len(m) != 1 {
		t.Errorf("the second row is %v", m)
	}
}

func TestUUIDsOfTheStandardLibraryAreArguments(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	id := uuid.MustParse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
	for _, typ := range []string{"uuid", "text"} {
		if got := server.stored(pgxCodecs(), typ, id, true); got != id.String() {
			t.Errorf("%s stores %q", typ, got)
		}
	}
	if got := server.stored(pgxCodecs(), "uuid[]", []uuid.UUID{id}, true); got != "{"+id.String()+"}" {
		t.Errorf("uuid[] stores %q", got)
	}
}

func FuzzScanColumnNeverPanics(f *testing.F) {
	f.Add(uint32(pgtype.Int4OID), int16(1), []byte{0, 0, 0, 1})
	f.Add(uint32(pgtype.IntervalOID), int16(0), []byte("1 day -"))
	f.Add(uint32(pgtype.TextArrayOID), int16(0), []byte("{"))
	c := pgxCodecs()
	f.Fuzz(func(t *testing.T, oid uint32, format int16, src []byte) {
		for _, make := range destinations[:len(destinations)-3] {
			_ = c.scanColumn(sqldriver.ScanContext{}, oid, format, src, make())
		}
		for _, dest := range []any{new([]string), new([][]int), new(document), new(map[string]string), new([16]byte), new(time.Duration)} {
			_ = c.scanColumn(sqldriver.ScanContext{}, oid, format&1, src, dest)
		}
	})
}
