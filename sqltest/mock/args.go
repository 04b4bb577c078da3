package mock

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
)

// differArgs says where the arguments of a call are not those expected.
func differArgs(e *expectation, k *call) error {
	if len(e.args) != len(k.args) {
		return fmt.Errorf("there are %d arguments, want %d: %s, want %s", len(k.args), len(e.args), showArgs(k.args), showArgs(e.args))
	}
	var differences []string
	for i := range e.args {
		if d := differArg(e, k, i); d != "" {
			differences = append(differences, d)
		}
	}
	if differences == nil {
		return nil
	}
	return errors.New(strings.Join(differences, "\n"))
}

// differArg says how an argument is not the one expected, "" when it is.
func differArg(e *expectation, k *call, i int) string {
	want, got := e.args[i], k.args[i]
	if named, ok := want.(sql.NamedArg); ok {
		want = named.Value
		if i < len(k.named) && k.named[i].Name != named.Name {
			return fmt.Sprintf("argument $%d is named %q, want %q", i+1, k.named[i].Name, named.Name)
		}
	}
	if m, ok := want.(sqlmock.Argument); ok {
		if m.Match(got) {
			return ""
		}
		return fmt.Sprintf("argument $%d is %s, which %T does not match", i+1, show(got), m)
	}
	var oid uint32
	if i < len(k.types) {
		oid = k.types[i]
	}
	if same(want, got, oid) {
		return ""
	}
	return fmt.Sprintf("argument $%d is %s, want %s", i+1, show(got), show(want))
}

// same reports whether the server sees no difference between two arguments. oid is the parameter's type where it is known.
func same(want, got any, oid uint32) bool {
	converted, err := driver.ConvertArgs([]any{want})
	if err != nil {
		return false
	}
	want = converted[0]
	a, isTime := want.(time.Time)
	b, isTimeToo := got.(time.Time)
	switch {
	case want == nil || got == nil:
		return want == nil && got == nil
	case isTime && isTimeToo:
		return a.Equal(b)
	case reflect.DeepEqual(want, got):
		return true
	}
	wantText, err := textOf(want, oid)
	if err != nil {
		return false
	}
	gotText, err := textOf(got, oid)
	return err == nil && wantText == gotText
}

// textOf is a value as the server reads it for a type, 0 being the one that suits the value.
func textOf(v any, oid uint32) (string, error) {
	if oid == 0 {
		oid = typeOf(v)
	}
	text, _, err := driver.NewCopyCodec().AppendText(nil, oid, v)
	return string(text), err
}

// show renders an argument for a message, with its type where that is not plain to see.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("%T(%q)", v, v)
	case bool, int, int64, float64:
		return fmt.Sprint(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case sqlmock.Argument:
		return fmt.Sprintf("%T", v)
	case sql.NamedArg:
		return "@" + v.Name + " " + show(v.Value)
	}
	return fmt.Sprintf("%T(%+v)", v, v)
}

func showArgs(args []any) string {
	shown := make([]string, len(args))
	for i, v := range args {
		shown[i] = show(v)
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// converter makes arguments what go-sqlmock compares, for the expectations made through the embedded Sqlmock, and lets any
// value into rows.
type converter struct{}

// ConvertValue implements [sqldriver.ValueConverter].
func (converter) ConvertValue(v any) (sqldriver.Value, error) {
	if _, ok := v.(sqlmock.Argument); ok {
		return v, nil
	}
	args, err := driver.ConvertArgs([]any{v})
	if err != nil {
		return nil, err
	}
	return plainValue(args[0]), nil
}

// plainValue makes numbers of any width the ones that database/sql knows.
func plainValue(v any) any {
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		if _, isDuration := v.(time.Duration); !isDuration {
			return rv.Int()
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(rv.Uint())
	case reflect.Float32:
		return rv.Float()
	}
	return v
}
