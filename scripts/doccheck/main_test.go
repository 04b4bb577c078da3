package main

import (
	"slices"
	"strings"
	"testing"
)

const sample = `package sample

// Documented is.
type Documented struct{}

type Bare struct{ Field int }

// Method is documented.
func (Documented) Method() {}

func (*Documented) BareMethod() {}

func (b *Generic[T]) BareGeneric() {}

func (Pair[K, V]) BarePair() {}

func (hidden) Method() {}

func hiddenFunc() {}

func BareFunc() {}

// These are documented together.
const (
	First  = 1
	Second = 2
)

var (
	Beside = 1 // has a comment beside it
	BareVar, hiddenVar = 1, 2
)

//go:generate true
type Directive int
`

func TestUndocumentedListsExportedNamesWithoutDoc(t *testing.T) {
	t.Parallel()
	missing, err := undocumented("sample.go", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range missing {
		got = append(got, m[strings.LastIndexByte(m, ' ')+1:])
	}
	want := []string{"Bare", "BareMethod", "BareGeneric", "BarePair", "BareFunc", "BareVar", "Directive"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !strings.HasPrefix(missing[0], "sample.go:6:") {
		t.Errorf("%q does not start with the position", missing[0])
	}
}

func TestUndocumentedIgnoresCommands(t *testing.T) {
	t.Parallel()
	missing, err := undocumented("main.go", []byte("package main\nfunc Exported() {}\n"))
	if err != nil || len(missing) > 0 {
		t.Errorf("got %q, %v, want nothing", missing, err)
	}
}
