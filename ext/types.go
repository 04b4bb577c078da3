package ext

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pycopg/pycopg/driver"
)

// TypeInfo describes a type of a database: its OID, kind, array, fields, labels.
type TypeInfo = driver.TypeInfo

// LookupType asks the server for a type: a built-in one, an enum, composite, domain or range, one of an extension, a table's row
// type, or an array ("mood[]"). name is as [ParseName] reads it, or SQL's word for a built-in type ("timestamp with time
// zone"); without a schema the search path counts. A type that does not exist is an error with SQLSTATE 42704. On a mock the
// result is empty.
func LookupType(ctx context.Context, q Querier, name string) (*TypeInfo, error) {
	found, err := typesByName(ctx, q, "look up type "+name, []string{name}, (*driver.Conn).LookupTypes)
	if err != nil {
		return nil, fmt.Errorf("ext: look up type: %w", err)
	}
	return found[0], nil
}

// LoadTypes makes types known to all connections of q's pool, with the types that they are made of. Then, and not before:
//
//   - a composite is a map[string]any, and an hstore a map[string]*string, where rows are read as maps, slices or any; so are
//     those in their arrays;
//   - composites of a type that an open transaction has made can be read into structs.
//
// Go structs with a field for each field of a composite, slices of such, and map[string]any, can be read and be arguments
// without LoadTypes, too; it takes a look at the catalog then, when a type is met for the first time.
//
// The server is asked once; a type that is dropped and made again is asked for again when it is met. After an ALTER TYPE that
// renames fields call it again. Types that an open transaction has made can be loaded with that transaction. The errors are
// those of [LookupType].
func LoadTypes(ctx context.Context, q Querier, names ...string) ([]*TypeInfo, error) {
	if len(names) == 0 {
		return nil, nil
	}
	found, err := typesByName(ctx, q, "load types "+strings.Join(names, ", "), names, (*driver.Conn).LoadTypes)
	if err != nil {
		return nil, fmt.Errorf("ext: load types: %w", err)
	}
	return found, nil
}

// typesByName finds types with a method of the connection. On a mock they are empty.
func typesByName(ctx context.Context, q Querier, statement string, names []string, find func(*driver.Conn, context.Context, []string) ([]*TypeInfo, error)) ([]*TypeInfo, error) {
	texts := make([]string, len(names))
	for i, name := range names {
		var err error
		if texts[i], err = typeText(name); err != nil {
			return nil, err
		}
	}
	found := make([]*TypeInfo, len(names))
	for i := range found {
		found[i] = new(TypeInfo)
	}
	_, err := driver.Do(ctx, q, statement, func(ctx context.Context, c *driver.Conn) (int64, error) {
		infos, err := find(c, ctx, texts)
		if err != nil {
			return 0, err
		}
		for i, t := range infos {
			if t == nil {
				return 0, noType(ctx, c, names[i])
			}
		}
		found = infos
		return int64(len(infos)), nil
	})
	return found, err
}

// sqlTypes are the words of SQL for types that have other names in the catalog.
var sqlTypes = map[string]string{
	"bigint": "int8", "int": "int4", "integer": "int4", "smallint": "int2", "real": "float4", "double precision": "float8", "boolean": "bool",
	"decimal": "numeric", "character varying": "varchar", "character": "bpchar", "char": "bpchar", "bit varying": "varbit",
	"timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp", "time with time zone": "timetz",
	"time without time zone": "time",
}

// typeText is a type's name as SQL text.
func typeText(name string) (string, error) {
	elem, isArray := strings.CutSuffix(name, "[]")
	if word, ok := sqlTypes[elem]; ok {
		elem = word
	}
	n, err := ParseName(elem)
	if err != nil {
		return "", err
	}
	if isArray {
		return n.String() + "[]", nil
	}
	return n.String(), nil
}

// undefinedType is the error of a type that does not exist, as the server would give it.
type undefinedType struct{ name, hint string }

func (e *undefinedType) Error() string {
	return fmt.Sprintf("type %q does not exist%s (SQLSTATE 42704)", e.name, e.hint)
}

// SQLState is the error's SQLSTATE.
func (e *undefinedType) SQLState() string { return "42704" }

// noType says that a type does not exist, and whether one does whose name is written in lower case.
func noType(ctx context.Context, c *driver.Conn, name string) error {
	e := &undefinedType{name: name}
	if folded := strings.ToLower(name); folded != name {
		text, err := typeText(folded)
		if err != nil {
			return e
		}
		if found, err := c.LookupTypes(ctx, []string{text}); err == nil && found[0] != nil {
			e.hint = fmt.Sprintf("; %s does: names keep their case here", folded)
		}
	}
	return e
}

// TypeFuncs translate between a Go type and the text of PostgreSQL values. They must not use the database, may be called by
// several goroutines at a time, and never meet NULL. A panic of theirs is an error.
type TypeFuncs[T any] struct {
	Encode func(v T) (string, error)    // the text of an argument, as the server reads it; nil: T is no argument
	Decode func(text string) (T, error) // of the text that the server writes
}

// Type is a Go type that stands for a PostgreSQL type in a pool.
type Type[T any] struct {
	Info  *TypeInfo
	funcs TypeFuncs[T]
}

// RegisterType has T stand for a PostgreSQL type in all connections of q's pool: values of T, pointers to them, sql.Null[T] and
// slices of them are arguments for it and for arrays of it, and are read from it: by [Query] and its like, by copyin and
// copyout, inside of composites, and by Scan on Go 1.27 (before, [Type.Into] for Scan). NULL needs a pointer, a sql.Null or a
// slice. Where rows are read as maps, slices or any, values of the type are T.
//
// name is as for [LookupType], whose errors it has; a type that is dropped and made again keeps T. T may stand for several types,
// in turn. It must be a type of the program's own, of any kind but a pointer or an interface; a number, string or bool needs
// a method, since values without one are what their kind is. A T that is a driver.Valuer or a sql.Scanner is refused:
// database/sql asks these, so it needs no registration. Statements that run already are not affected.
func RegisterType[T any](ctx context.Context, q Querier, name string, funcs TypeFuncs[T]) (*Type[T], error) {
	if err := registrable(reflect.TypeFor[T](), funcs.Decode == nil); err != nil {
		return nil, fmt.Errorf("ext: register type %s: %w", reflect.TypeFor[T](), err)
	}
	typ := &Type[T]{funcs: funcs}
	register := func(c *driver.Conn, ctx context.Context, names []string) ([]*TypeInfo, error) {
		found, err := c.LookupTypes(ctx, names)
		if err == nil && found[0] != nil {
			c.RegisterType(found[0], reflect.TypeFor[T](), typ.encoder(), typ.decode)
		}
		return found, err
	}
	found, err := typesByName(ctx, q, "register type "+name, []string{name}, register)
	if err != nil {
		return nil, fmt.Errorf("ext: register type: %w", err)
	}
	typ.Info = found[0]
	return typ, nil
}

// registrable reports why a Go type cannot stand for a PostgreSQL type.
func registrable(t reflect.Type, decodes bool) error {
	valuer, scanner := reflect.TypeFor[sqldriver.Valuer](), scannerType
	switch kind := t.Kind(); {
	case decodes:
		return errors.New("it needs a Decode")
	case kind == reflect.Pointer || kind == reflect.Interface || kind == reflect.Chan || kind == reflect.Func:
		return errors.New("pointers, interfaces, channels and functions stand for no type: register what is pointed to")
	case t.Name() == "" || t.PkgPath() == "" || t == timeType || t == reflect.TypeFor[sql.RawBytes]():
		return errors.New("it is no type of the program's own")
	case t.Implements(valuer), reflect.PointerTo(t).Implements(valuer), reflect.PointerTo(t).Implements(scanner):
		return errors.New("it is a driver.Valuer or a sql.Scanner, which database/sql asks")
	case (kind <= reflect.Complex128 || kind == reflect.String) && t.NumMethod() == 0:
		return errors.New("a number, string or bool needs a method (String, say): values without one are what their kind is")
	}
	return nil
}

func (t *Type[T]) encoder() func(any) (string, error) {
	if t.funcs.Encode == nil {
		return nil
	}
	return func(v any) (text string, err error) {
		defer recovered(&err)
		return t.funcs.Encode(v.(T))
	}
}

func (t *Type[T]) decode(text string) (v any, err error) {
	defer recovered(&err)
	return t.funcs.Decode(text)
}

// recovered makes a panic an error: database/sql keeps a lock while it scans, and its rows could not be closed.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
}

// Into is a Scanner, for the Scan of database/sql, that stores a value of the type in dest: a *T, a **T for NULL, a *sql.Null[T],
// or, of an array, a pointer to a slice of these. With Go 1.27 Scan takes dest itself.
func (t *Type[T]) Into(dest any) sql.Scanner {
	return scanFunc(func(src any) error {
		return driver.ScanText(dest, src, reflect.TypeFor[T](), t.decode)
	})
}

// scanFunc is a Scanner.
type scanFunc func(src any) error

// Scan implements [sql.Scanner].
func (f scanFunc) Scan(src any) (err error) {
	defer recovered(&err)
	return f(src)
}
