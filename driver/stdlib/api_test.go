package stdlib_test

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	peerPath = "github.com/jackc/pgx/v5/stdlib"
	ourPath  = "github.com/pycopg/pycopg/driver/stdlib"
)

// packages are pgx's package and ours as the compiler sees them.
var packages = sync.OnceValues(func() (pkgs [2]*types.Package, err error) {
	var stderr bytes.Buffer
	list := exec.Command("go", "list", "-deps", "-export", "-f", "{{.ImportPath}} {{.Export}}", peerPath, ourPath)
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return pkgs, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	exports := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	for i, path := range []string{peerPath, ourPath} {
		if pkgs[i], err = imp.Import(path); err != nil {
			return pkgs, err
		}
	}
	return pkgs, nil
})

// signature shows a type without the paths of the packages that are compared, and without the names of parameters.
func signature(t types.Type) string {
	if f, ok := t.(*types.Signature); ok {
		t = types.NewSignatureType(nil, nil, nil, unnamed(f.Params()), unnamed(f.Results()), f.Variadic())
	}
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == peerPath || p.Path() == ourPath || p.Path() == "github.com/pycopg/pycopg/driver" {
			return ""
		}
		return p.Path()
	})
}

func unnamed(t *types.Tuple) *types.Tuple {
	var vars []*types.Var
	for v := range t.Variables() {
		vars = append(vars, types.NewParam(token.NoPos, nil, "", v.Type()))
	}
	return types.NewTuple(vars...)
}

// members are the exported methods and fields that a *T has, with their signatures.
func members(t types.Type) map[string]string {
	found := make(map[string]string)
	methods := types.NewMethodSet(types.NewPointer(t))
	for m := range methods.Methods() {
		if m.Obj().Exported() {
			found[m.Obj().Name()] = signature(m.Obj().Type())
		}
	}
	if s, ok := t.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			if f.Exported() {
				found[f.Name()] = signature(f.Type())
			}
		}
	}
	return found
}

// columnScanner are the methods that rows have on Go 1.27 unless column_scanner=off. The rows without them are called Rows.
var columnScanner = []string{"Rows.NextRow", "Rows.ScanColumn"}

// exported are the package's exported names, those of methods and fields with their type's in front, and the signatures.
func exported(p *types.Package) map[string]string {
	names := make(map[string]string)
	for _, name := range p.Scope().Names() {
		obj := p.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		if _, ok := obj.(*types.TypeName); !ok {
			names[name] = signature(obj.Type())
			continue
		}
		names[name] = "type"
		if f, ok := obj.Type().Underlying().(*types.Signature); ok {
			names[name] = signature(f)
		}
		for member, sig := range members(types.Unalias(obj.Type())) {
			names[name+"."+member] = sig
		}
	}
	return names
}

func TestEveryNameOfPgxIsHereWithTheSameSignature(t *testing.T) {
	t.Parallel()
	pkgs, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := exported(pkgs[0]), exported(pkgs[1])
	if len(theirs) < 40 {
		t.Fatalf("found only %d names in pgx's package", len(theirs))
	}
	for name, want := range theirs {
		got, ok := ours[name]
		switch {
		case !ok && !slices.Contains(columnScanner, name):
			t.Errorf("%s %s: missing", name, want)
		case ok && got != want:
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}
