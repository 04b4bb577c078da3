package driver

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// codecServer is a connection to the development server, inside a transaction that is rolled back at the end of the test.
type codecServer struct {
	*pgconn.PgConn
	t *testing.T
}

func newCodecServer(t *testing.T) codecServer {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), TestServerDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	s := codecServer{conn, t}
	s.exec(`begin; create extension if not exists hstore;
		create type pg_temp.mood as enum ('sad', 'ok', 'very happy');
		create domain pg_temp.bytes as bytea; create domain pg_temp.positive as int4 check (value > 0);
		create type pg_temp.pair as (a int4, b text)`)
	return s
}

func (s codecServer) exec(sql string) {
	s.t.Helper()
	if _, err := s.Exec(s.t.Context(), sql).ReadAll(); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// wireColumn is one column value as the server sends it.
type wireColumn struct {
	oid    uint32
	typmod int32
	format int16
	raw    []byte
}

// query selects the expression in the given format.
func (s codecServer) query(expression string, format int16) (wireColumn, error) {
	result := s.ExecParams(s.t.Context(), "select "+expression, nil, nil, nil, []int16{format}).Read()
	if result.Err != nil {
		return wireColumn{}, result.Err
	}
	field := result.FieldDescriptions[0]
	return wireColumn{field.DataTypeOID, field.TypeModifier, field.Format, result.Rows[0][0]}, nil
}

// mustQuery is query without errors.
func (s codecServer) mustQuery(expression string, format int16) wireColumn {
	s.t.Helper()
	col, err := s.query(expression, format)
	if err != nil {
		s.t.Fatalf("%s: %v", expression, err)
	}
	return col
}

// typeOID finds a type by its name.
func (s codecServer) typeOID(name string) (oid uint32) {
	s.t.Helper()
	col := s.mustQuery("'"+name+"'::regtype::oid", textFormat)
	if _, err := fmt.Sscan(string(col.raw), &oid); err != nil {
		s.t.Fatal(err)
	}
	return oid
}

// decode decodes a column with c.
func decode(c *codecs, col wireColumn) (any, error) {
	if col.raw == nil {
		return nil, nil
	}
	return c.decoder(col.oid, col.format)(c, col.raw)
}

func pgxCodecs() *codecs { return newCodecs(pgtype.NewMap(), CompatPgx, InfinityError, nil) }

func pqCodecs() *codecs {
	return newCodecs(pgtype.NewMap(), CompatPq, InfinityError, func() *time.Location { return time.UTC })
}

// sameValue is deep equality, with NaN equal to itself and times equal when they show the same.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b) || ok && a != a && b != b
	case time.Time:
		b, ok := b.(time.Time)
		_, aOffset := a.Zone()
		_, bOffset := b.Zone()
		return ok && a.Equal(b) && aOffset == bOffset
	}
	return reflect.DeepEqual(a, b)
}
