// Command doccheck lists the exported names without a doc comment in the Go files below the
// folders it is given, and fails if there are any. Tests and commands export nothing.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	var missing []string
	for _, dir := range os.Args[1:] {
		found, err := checkFolder(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, "doccheck:", err)
			os.Exit(2)
		}
		missing = append(missing, found...)
	}
	if len(missing) > 0 {
		fmt.Fprintln(os.Stderr, "exported without a doc comment:\n"+strings.Join(missing, "\n"))
		os.Exit(1)
	}
}

// checkFolder returns the position and name of everything undocumented below dir.
func checkFolder(dir string) (missing []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != dir && skipped(entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := undocumented(path, src)
		missing = append(missing, found...)
		return err
	})
	return missing, err
}

// skipped says whether the go command, too, would ignore a folder of that name.
func skipped(name string) bool {
	return name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_'
}

// undocumented returns the exported names without a doc comment in one file.
func undocumented(path string, src []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if file.Name.Name == "main" {
		return nil, nil
	}
	var missing []string
	for _, decl := range file.Decls {
		for _, name := range bareNames(decl) {
			if name.IsExported() {
				missing = append(missing, fmt.Sprintf("%s: %s", files.Position(name.Pos()), name.Name))
			}
		}
	}
	return missing, nil
}

// bareNames returns the names, exported or not, that a declaration makes without a doc comment.
// A comment on a group documents all of it; in a group, so does one beside the name.
func bareNames(decl ast.Decl) (names []*ast.Ident) {
	if fn, ok := decl.(*ast.FuncDecl); ok {
		if fn.Doc.Text() == "" && receiverExported(fn) {
			names = append(names, fn.Name)
		}
		return names
	}
	group, ok := decl.(*ast.GenDecl)
	if !ok || group.Doc.Text() != "" {
		return nil
	}
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Doc.Text()+spec.Comment.Text() == "" {
				names = append(names, spec.Name)
			}
		case *ast.ValueSpec:
			if spec.Doc.Text()+spec.Comment.Text() == "" {
				names = append(names, spec.Names...)
			}
		}
	}
	return names
}

// receiverExported says whether a function is a method of an exported type, or no method at all.
func receiverExported(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	receiver := fn.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.IndexListExpr:
			receiver = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}
