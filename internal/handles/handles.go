// Package handles lists the exported functions of this module that take a handle (a *sql.DB, *sql.Conn or *sql.Tx, or an interface of
// theirs), by the type checker, so that a test can tell that it knows all of them.
package handles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const module = "github.com/pycopg/pycopg"

// excluded are folders whose functions are for tests and for this project.
var excluded = []string{"/sqltest", "/internal/", "/examples/", "/scripts/"}

// insideDo are types that only a function of driver.Do gets hold of: under a mock, where it does not run, nobody has one.
var insideDo = []string{"driver.(*Reservation)."}

// Function is an exported function, or method, with a parameter that is a handle.
type Function struct {
	Name      string // as it is called: ext.Query, listen.(*Listener).Run
	Path      string // of its package
	Parameter string // the handle: "q ext.Querier"
	Generic   int    // number of its type parameters
	Value     bool   // it is a function that can be named as a value: no method, and its type parameters take any type
}

// List lists the functions of the module in dir, which the go command compiles first.
func List(dir string) ([]Function, error) {
	exports, err := exportData(dir)
	if err != nil {
		return nil, err
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})
	sql, err := imp.Import("database/sql")
	if err != nil {
		return nil, err
	}
	db := types.NewPointer(sql.Scope().Lookup("DB").Type())
	var found []Function
	for path := range exports {
		if rest, ours := strings.CutPrefix(path+"/", module); !ours || isExcluded(rest) {
			continue
		}
		pkg, err := imp.Import(path)
		if err != nil {
			return nil, err
		}
		for _, fn := range exported(pkg) {
			if handle := handleOf(fn, db); handle != "" && !isInsideDo(nameOf(fn)) {
				sig := fn.Signature()
				found = append(found, Function{nameOf(fn), path, handle, sig.TypeParams().Len(), sig.Recv() == nil && takeAny(sig.TypeParams())})
			}
		}
	}
	return found, nil
}

func isInsideDo(name string) bool {
	return slices.ContainsFunc(insideDo, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func takeAny(params *types.TypeParamList) bool {
	for p := range params.TypeParams() {
		if iface, ok := p.Constraint().Underlying().(*types.Interface); !ok || !iface.Empty() {
			return false
		}
	}
	return true
}

func isExcluded(path string) bool {
	for _, part := range excluded {
		if strings.HasPrefix(path, part) {
			return true
		}
	}
	return false
}

// exportData are the files that the go command has compiled the packages of the module into, and those below them.
func exportData(dir string) (map[string]string, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", "./...")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	exports := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return exports, nil
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
	}
}

// exported are the functions of a package and the methods of its types.
func exported(pkg *types.Package) []*types.Func {
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
			if m.Name() == "ExecContext" || m.Name() == "QueryContext" || m.Name() == "Conn" {
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
