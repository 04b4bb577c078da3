package ext

import (
	"database/sql"
	"reflect"
	"strings"
)

// guarded is the destination that database/sql scans into for v, which it fills by itself. A Scanner that is not its own or this
// module's is called under [recovered].
func guarded(v reflect.Value) any {
	dest := v.Addr().Interface()
	if scanner, ok := dest.(sql.Scanner); ok {
		if isTrusted(v.Type()) {
			return dest
		}
		return &guard{scanner}
	}
	if t := v.Type(); t.Kind() == reflect.Pointer && t.Name() == "" && t.Implements(scannerType) && !isTrusted(t.Elem()) {
		return &pointerGuard{v}
	}
	return dest
}

// isTrusted reports whether the Scanner of a type runs no code of users.
func isTrusted(t reflect.Type) bool {
	if isSQLNull(t) {
		v, _ := t.FieldByName("V")
		return !reflect.PointerTo(v.Type).Implements(scannerType) || isTrusted(v.Type)
	}
	path := t.PkgPath()
	return path == "database/sql" || path == "github.com/jackc/pgx/v5/pgtype" || path == "github.com/pycopg/pycopg/ext" && !strings.Contains(t.Name(), "[")
}

// guard calls a Scanner of the user's.
type guard struct{ dest sql.Scanner }

// Scan implements [sql.Scanner].
func (g *guard) Scan(src any) (err error) {
	defer recovered(&err)
	return g.dest.Scan(src)
}

// pointerGuard does what database/sql does for a pointer to a Scanner, which is nil for NULL.
type pointerGuard struct{ dest reflect.Value }

// Scan implements [sql.Scanner].
func (g *pointerGuard) Scan(src any) (err error) {
	defer recovered(&err)
	if src == nil {
		g.dest.SetZero()
		return nil
	}
	g.dest.Set(reflect.New(g.dest.Type().Elem()))
	return g.dest.Interface().(sql.Scanner).Scan(src)
}

var _, _ sql.Scanner = (*guard)(nil), (*pointerGuard)(nil)
