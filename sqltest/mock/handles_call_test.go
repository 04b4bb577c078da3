package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/admin/timescale"
	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
)

// errMocked is the answer of the mock to every statement.
var errMocked = errors.New("the mock's answer")

// callWithMock calls a function that takes a handle with arguments that fit, on a go-sqlmock that answers every statement with an
// error, which has to come back.
func callWithMock(t *testing.T, name string, fn any) {
	db, m, err := sqlmock.New(sqlmock.ValueConverterOption(anyValue{}), sqlmock.QueryMatcherOption(sqlmock.QueryMatcherFunc(
		func(string, string) error { return nil })))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	m.MatchExpectationsInOrder(false)
	for range 3 {
		m.ExpectBegin()
		m.ExpectRollback()
		m.ExpectExec("").WillReturnError(errMocked)
		m.ExpectQuery("").WillReturnError(errMocked)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })

	v := reflect.ValueOf(fn)
	var args []reflect.Value
	given := handleArguments[name]
	for i := range v.Type().NumIn() {
		typ := v.Type().In(i)
		if v.Type().IsVariadic() && i == v.Type().NumIn()-1 {
			for _, arg := range given {
				args = append(args, reflect.ValueOf(arg))
			}
			break
		}
		switch {
		case typ == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(ctx))
		case typ == reflect.TypeFor[*sql.Conn]():
			args = append(args, reflect.ValueOf(conn))
		case reflect.TypeOf(db).AssignableTo(typ) && typ != reflect.TypeFor[any]():
			args = append(args, reflect.ValueOf(handleFor(t, name, db, conn)))
		case len(given) > 0:
			args, given = append(args, reflect.ValueOf(given[0])), given[1:]
		default:
			args = append(args, sample(typ))
		}
	}
	if err := firstError(v.Call(args)); !errors.Is(err, errMocked) {
		t.Errorf("error = %v, want the mock's", err)
	}
}

// handleFor is the handle that a function is given: the pool, for those that need it a connection or a transaction.
func handleFor(t *testing.T, name string, db *sql.DB, conn *sql.Conn) any {
	switch needs[name] {
	case "connection":
		return conn
	case "transaction":
		tx, err := conn.BeginTx(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tx.Rollback() })
		return tx
	}
	return db
}

var needs = map[string]string{
	"ext.DeclareCursor": "connection", "ext.OpenLargeObject": "transaction",
}

// sample is a value of a type that most functions take.
func sample(typ reflect.Type) reflect.Value {
	for _, v := range samples {
		if rv := reflect.ValueOf(v); rv.Type() == typ || typ.Kind() == reflect.Interface && rv.Type().Implements(typ) && typ.NumMethod() > 0 {
			return rv
		}
	}
	switch typ.Kind() {
	case reflect.String:
		return reflect.ValueOf("users").Convert(typ)
	case reflect.Func:
		return reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value {
			var out []reflect.Value
			for i := range typ.NumOut() {
				out = append(out, reflect.Zero(typ.Out(i)))
			}
			return out
		})
	case reflect.Slice:
		return reflect.Append(reflect.MakeSlice(typ, 0, 1), sample(typ.Elem()))
	}
	return reflect.Zero(typ)
}

// firstError is the error that a call returned, or the first one of the sequence that it returned.
func firstError(out []reflect.Value) error {
	for _, v := range out {
		if err, ok := v.Interface().(error); ok {
			return err
		}
		if v.Kind() == reflect.Func && v.Type().NumIn() == 1 { // an iter.Seq2
			var failed error
			yield := reflect.MakeFunc(v.Type().In(0), func(in []reflect.Value) []reflect.Value {
				if len(in) == 2 {
					failed, _ = in[1].Interface().(error)
				}
				return []reflect.Value{reflect.ValueOf(failed == nil)}
			})
			v.Call([]reflect.Value{yield})
			return failed
		}
	}
	return nil
}

// samples are values of the types for which the zero value asks for nothing, or for too little.
var samples = []any{
	"users", 1, int64(1), time.Hour, time.Now(),
	[]any{1},
	strings.NewReader("x"), io.Discard,
	fstest.MapFS{"1_a.sql": {Data: []byte("select 1")}},
	admin.Tables("users"),
	admin.ColumnDef{Name: "id", Type: "int"},
	admin.IndexKey{Column: "id"},
	admin.Reference{Table: "users"},
	admin.TableChange{Rename: "people"},
	admin.RoleChange{Rename: "people"},
	admin.ColumnChange{Rename: "number"},
	admin.DatabaseChange{Rename: "people"},
	ext.TypeFuncs[user]{Decode: func(string) (user, error) { return user{}, nil }},
	timescale.Every(time.Hour), timescale.ByRange("at", timescale.Every(time.Hour)),
	timescale.ChunkRange{OlderThan: timescale.At(time.Now())},
	backup.DumpOptions{Writer: io.Discard},
	backup.RestoreOptions{Reader: strings.NewReader("PGDMP")},
	timescale.BucketQuery{Time: "at", Width: timescale.Every(time.Hour), Select: []timescale.Aggregate{timescale.Avg("n")}},
}

// handleArguments are the arguments behind the context and the handle of functions that take no sample.
var handleArguments = map[string][]any{
	"admin.ExplainText":          {admin.ExplainOptions{}, "json", "select 1"},
	"admin.Grant":                {"select", admin.Tables("users"), "app", admin.GrantOptions{}},
	"admin.Revoke":               {"select", admin.Tables("users"), "app", admin.RevokeOptions{}},
	"admin.GrantDefault":         {"select", admin.FutureTables, "app", admin.DefaultOptions{}},
	"admin.RevokeDefault":        {"select", admin.FutureTables, "app", admin.DefaultOptions{}},
	"copyin.Load":                {"users", copyin.Sequence(sequence(users...)), copyin.LoadOptions{}},
	"timescale.AddJob":           {"users", timescale.Every(time.Hour), timescale.JobOptions{}},
	"timescale.AddRefreshPolicy": {"users", timescale.Every(2 * time.Hour), timescale.Every(time.Hour), timescale.PolicyOptions{Schedule: timescale.Every(time.Hour)}},
	"ext.OpenLargeObject":        {uint32(7), ext.LargeObjectRead},
	"ext.LoadTypes":              {"mood"},
}
