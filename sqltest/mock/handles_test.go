package mock_test

import (
	"bytes"
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
)

// module is the path of the root module.
const module = "github.com/pycopg/pycopg"

// noHandles are packages whose functions are for tests or programs, not for handles of a program under test.
var noHandles = []string{"/sqltest", "/internal/", "/examples/", "/scripts/"}

// functionsOfHandles lists the exported functions and methods of the module that take a handle, with that parameter, by their names:
// ext.Query, listen.(*Listener).Run.
func functionsOfHandles(t *testing.T) map[string]string {
	t.Helper()
	exports := exportData(t)
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})
	load := func(path string) *types.Package {
		pkg, err := imp.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		return pkg
	}
	db := types.NewPointer(load("database/sql").Scope().Lookup("DB").Type())
	found := map[string]string{}
	for path := range exports {
		if rest, ours := strings.CutPrefix(path+"/", module); !ours || isExcluded(rest) {
			continue
		}
		pkg := load(path)
		for _, fn := range exportedFunctions(pkg) {
			if handle := handleOf(fn, db); handle != "" {
				found[nameOf(fn)] = handle
			}
		}
	}
	return found
}

func isExcluded(path string) bool {
	for _, part := range noHandles {
		if strings.HasPrefix(path, part) {
			return true
		}
	}
	return false
}

// exportData are the files that the go command has compiled the packages of the root module into, and those below them.
func exportData(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,ForTest", "./...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return exports
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
}

// exportedFunctions are the functions of a package and the methods of its types.
func exportedFunctions(pkg *types.Package) []*types.Func {
	var all []*types.Func
	for _, name := range pkg.Scope().Names() {
		switch obj := pkg.Scope().Lookup(name).(type) {
		case *types.Func:
			if obj.Exported() {
				all = append(all, obj)
			}
		case *types.TypeName:
			named, ok := obj.Type().(*types.Named)
			if !ok || !obj.Exported() || obj.IsAlias() {
				continue
			}
			for m := range named.Methods() {
				if m.Exported() {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// handleOf describes the parameter of a function that is a handle, "" when none is.
func handleOf(fn *types.Func, db types.Type) string {
	for p := range fn.Signature().Params().Variables() {
		if isHandle(p.Type(), db) {
			return p.Name() + " " + types.TypeString(p.Type(), func(p *types.Package) string { return p.Name() })
		}
	}
	return ""
}

// isHandle reports whether a type is *sql.DB, *sql.Conn or *sql.Tx, embeds one, or is an interface of theirs.
func isHandle(t types.Type, db types.Type) bool {
	if iface, ok := t.Underlying().(*types.Interface); ok {
		for m := range iface.Methods() {
			if m.Name() == "ExecContext" || m.Name() == "QueryContext" {
				return types.Implements(db, iface)
			}
		}
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "ExecContext")
	method, ok := obj.(*types.Func)
	return ok && strings.HasPrefix(types.TypeString(method.Signature().Recv().Type(), nil), "*database/sql.")
}

// nameOf is a function's name as it is called.
func nameOf(fn *types.Func) string {
	if recv := fn.Signature().Recv(); recv != nil {
		return fn.Pkg().Name() + ".(" + types.TypeString(recv.Type(), func(*types.Package) string { return "" }) + ")." + fn.Name()
	}
	return fn.Pkg().Name() + "." + fn.Name()
}

// Every exported function that takes a handle works with plain go-sqlmock, too. A function that is missing here fails the
// test by its name: add a case to the handleCases of its package, in handles_….go.
func TestEveryFunctionOfAHandleWorksWithGoSqlmock(t *testing.T) {
	t.Parallel()
	found := functionsOfHandles(t)
	for name, handle := range found {
		if _, ok := handleCases[name]; !ok {
			t.Errorf("%s takes a handle (%s) and has no case in handleCases: write one that runs it with plain go-sqlmock", name, handle)
		}
	}
	for name, c := range handleCases {
		if _, ok := found[name]; !ok {
			t.Errorf("handleCases has %s, which is no exported function that takes a handle", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runHandleCase(t, c)
		})
	}
}

// handleCase runs a function with plain go-sqlmock.
type handleCase struct {
	expect func(m sqlmock.Sqlmock) // what it does
	run    func(ctx context.Context, db *sql.DB) error
	noRows bool // the exception: pipelines of queries, pages of cursors and binary COPY have no rows under a mock
}

// handleCases are the cases of all packages.
var handleCases = mergeCases(extCases, copyCases, listenCases)

func mergeCases(all ...map[string]handleCase) map[string]handleCase {
	merged := map[string]handleCase{}
	for _, cases := range all {
		maps.Copy(merged, cases)
	}
	return merged
}

func runHandleCase(t *testing.T, c handleCase) {
	db, m, err := sqlmock.New(sqlmock.ValueConverterOption(anyValue{}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c.expect(m)
	if c.noRows {
		t.Log("it has no rows under a mock")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.run(ctx, db); err != nil {
		t.Errorf("error: %v", err)
	}
	if err := m.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

// anyValue lets arguments through that go-sqlmock does not know (arrays, say).
type anyValue struct{}

func (anyValue) ConvertValue(v any) (sqldriver.Value, error) {
	if valuer, ok := v.(sqldriver.Valuer); ok {
		return valuer.Value()
	}
	return v, nil
}

// want is an error unless the two are equal.
func want[T comparable](got T, err error, want T) error {
	if err == nil && got != want {
		err = fmt.Errorf("got %v, want %v", got, want)
	}
	return err
}

// onConn runs a function on a connection of db.
func onConn(ctx context.Context, db *sql.DB, run func(conn *sql.Conn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(run(conn), conn.Close())
}

func rowsOf(columns string, values ...sqldriver.Value) *sqlmock.Rows {
	return sqlmock.NewRows(strings.Fields(columns)).AddRow(values...)
}
