package mock_test

//go:generate go test -run TestGuideOfGoSqlmock -update

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/go-sqlmock.md")

const guideFile = "../../docs/go-sqlmock.md"

// docs/go-sqlmock.md shows what the tests run.
func TestGuideOfGoSqlmock(t *testing.T) {
	t.Parallel()
	g := newGuide(t)
	text := g.render(t)
	if *update {
		if err := os.WriteFile(guideFile, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, text) {
		t.Errorf("%s is not what the examples say: run \"go generate ./sqltest/mock\"", guideFile)
	}
}

// guide is the source of the examples.
type guide struct {
	source map[string][]byte
	set    *token.FileSet
	plain  map[string]string // snippets by function
	own    map[string]string
	shared map[string]string // declarations
}

func newGuide(t *testing.T) *guide {
	t.Helper()
	files, err := filepath.Glob("handles_*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	g := &guide{source: map[string][]byte{}, set: token.NewFileSet(), plain: map[string]string{}, own: map[string]string{}, shared: map[string]string{}}
	for _, name := range append(files, "handles_test.go") {
		if g.source[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(g.set, name, g.source[name], parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			g.add(decl)
		}
	}
	return g
}

// add keeps a declaration: a table of examples, or what examples share.
func (g *guide) add(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		g.shared[d.Name.Name] = g.text(d.Pos(), d.End())
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				g.shared[s.Name.Name] = "type " + g.text(s.Pos(), s.End())
			case *ast.ValueSpec:
				g.shared[s.Names[0].Name] = strings.ReplaceAll(d.Tok.String()+" "+g.text(s.Pos(), s.End()), "\n\t", "\n")
				if table, ok := s.Values[0].(*ast.CompositeLit); ok {
					g.addTable(table)
				}
			}
		}
	}
}

func (g *guide) addTable(table *ast.CompositeLit) {
	for _, element := range table.Elts {
		kv, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		key, isText := kv.Key.(*ast.BasicLit)
		fn, isFunc := kv.Value.(*ast.FuncLit)
		if !isText || !isFunc {
			return
		}
		snippets := g.plain
		if strings.Contains(g.text(fn.Pos(), fn.Body.Pos()), "mock.Mock") {
			snippets = g.own
		}
		snippets[strings.Trim(key.Value, `"`)] = g.snippet(fn.Body)
	}
}

func (g *guide) text(from, to token.Pos) string {
	at, end := g.set.Position(from), g.set.Position(to)
	return string(g.source[at.Filename][at.Offset:end.Offset])
}

// snippet is the body of an example, as a reader wants to copy it: what it returns to the test is said in a comment.
func (g *guide) snippet(body *ast.BlockStmt) string {
	text := strings.ReplaceAll(g.text(body.Lbrace+1, body.Rbrace), "\n\t\t", "\n")
	text = strings.Trim(text, "\n\t")
	at := strings.LastIndex("\n"+text, "\nreturn ")
	if at < 0 {
		return text
	}
	before, last := text[:at], strings.TrimPrefix(text[at:], "return ")
	text = strings.TrimSpace(before + returned(last))
	text = inner.ReplaceAllString(text, "$1// $2 is $3\n$1return err")
	return joined.ReplaceAllString(text, "err")
}

var (
	headOf     = regexp.MustCompile(`head\(([^()]*)\)`)
	checked    = regexp.MustCompile(`(?s)^want\((.*), (?:err|nil), (.*)\)( // .*)?$`)
	inner      = regexp.MustCompile(`(?m)^(\t+)return want\((.*), err, (.*)\)$`)
	joined     = regexp.MustCompile(`want\(\S+, err, \d+\)`)
	checkedFmt = regexp.MustCompile(`^fmt\.Sprint\((.*)\)$`)
	refused    = regexp.MustCompile(`^wantMock\((.*)\)$`)
)

// returned is what stands for "return expression".
func returned(expression string) string {
	for headOf.MatchString(expression) {
		expression = headOf.ReplaceAllString(expression, "$1[0]")
	}
	if m := checked.FindStringSubmatch(expression); m != nil {
		got, want := m[1], m[2]
		if inner := checkedFmt.FindStringSubmatch(got); inner != nil {
			got, want = inner[1], strings.Trim(want, `"`)
		}
		return "// " + got + " is " + want + strings.Replace(m[3], " // ", ": ", 1)
	}
	if m := refused.FindStringSubmatch(expression); m != nil {
		if m[1] == "err" {
			return "// err says that the handle is a mock"
		}
		return "err := " + m[1] + " // says that the handle is a mock"
	}
	if expression == "err" {
		return ""
	}
	return "err := " + expression
}

// shown are the declarations that the examples share, in the order in which they are shown.
var shown = []string{"user", "users", "selectUsers", "xid", "sequence", "first", "onConn", "migrations", "expectRecord", "expectRecordLeft", "checksumOf", "expectMigration"}

const guideHead = `<!-- Written from the tests of sqltest/mock by "go generate ./sqltest/mock"; DO NOT EDIT. -->
# With plain go-sqlmock

Every function of this module that takes a handle works on one of [go-sqlmock](https://pkg.go.dev/github.com/DATA-DOG/go-sqlmock),
with what is expected before it as below. Each of these examples is run by the tests of [` + "`sqltest/mock`" + `](../sqltest/mock).

` + "```go" + `
db, m, err := sqlmock.New()
` + "```" + `

- A function that sends commands beside SQL (COPY, a batch, DDL that tells what it did) shows its statement as one Exec. The rows of the
  result are what the function returns as its count; for a function that tells whether it created or dropped something, 0 is no.
- Expectations are regular expressions, as always with go-sqlmock: a part of the statement will do.
- Rows have to have the columns that are read; package admin is content with some of them.
- Arrays in rows are texts: ` + "`{1,2}`" + `, ` + "`{a,\"b c\"}`" + `.

go-sqlmock has no way to answer a command with rows. So batches of queries, ` + "`copyout.Rows`" + ` and ` + "`ext.Describe`" + ` find none, and listening needs a
server. These have a second example, with ` + "`mock.New(t)`" + `, whose connections are the driver's own: see [testing](testing.md).
`

func (g *guide) render(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(guideHead)
	for name := range g.own {
		if g.plain[name] == "" {
			t.Errorf("%s has an example with mock.New alone", name)
		}
	}
	names := slices.SortedFunc(maps.Keys(g.plain), func(a, b string) int {
		pa, _, _ := strings.Cut(a, ".")
		pb, _, _ := strings.Cut(b, ".")
		return cmp.Or(cmp.Compare(slices.Index(packages, pa), slices.Index(packages, pb)), cmp.Compare(a, b))
	})
	last := ""
	for _, name := range names {
		pkg, _, _ := strings.Cut(name, ".")
		if !slices.Contains(packages, pkg) {
			t.Errorf("packages lacks %s", pkg)
		}
		if pkg != last {
			fmt.Fprintf(&b, "\n## %s\n", pkg)
			last = pkg
		}
		fmt.Fprintf(&b, "\n### %s\n\n```go\n%s\n```\n", name, g.plain[name])
		if g.own[name] != "" {
			fmt.Fprintf(&b, "\nWith `db, m := mock.New(t)`:\n\n```go\n%s\n```\n", g.own[name])
		}
	}
	b.WriteString("\n## What the examples share\n\n```go\n")
	for i, name := range shown {
		if i > 0 {
			b.WriteString("\n")
		}
		if g.shared[name] == "" {
			t.Errorf("%s is not declared", name)
		}
		b.WriteString(g.shared[name] + "\n")
	}
	b.WriteString("```\n")
	return b.Bytes()
}

// packages is their order in the guide.
var packages = []string{"driver", "ext", "listen", "copyin", "copyout", "admin", "migrate", "backup", "timescale"}
