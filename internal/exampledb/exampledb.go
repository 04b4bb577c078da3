// Package exampledb gives databases to the Example functions of this module's packages, which have no test to get one with.
package exampledb

import (
	"context"
	"database/sql"
	"flag"
	"log"
	"os"
	"runtime"
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

// Main runs the tests of a package, for its TestMain. It leaves the examples out where there is no server: they cannot skip
// themselves.
func Main(m *testing.M) {
	flag.Parse()
	if !finishes(func(tb testing.TB) { sqltest.Server(tb) }) {
		flag.Set("test.skip", "^Example")
	}
	os.Exit(m.Run())
}

// Open makes a database, runs SQL text in it, and returns a handle and what removes it again. What fails ends the program.
func Open(tables string) (db *sql.DB, done func()) {
	tb := &exampleTB{}
	db, err := sql.Open("pycopg", sqltest.DSN(tb, sqltest.Options{}))
	if err == nil && tables != "" {
		_, err = db.Exec(tables)
	}
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		db.Close()
		tb.end()
	}
}

// exampleTB is what package sqltest needs of a test, for examples.
type exampleTB struct {
	testing.TB
	cleanups []func()
}

func (*exampleTB) Helper()                      {}
func (*exampleTB) Failed() bool                 { return false }
func (*exampleTB) Context() context.Context     { return context.Background() }
func (tb *exampleTB) Cleanup(fn func())         { tb.cleanups = append(tb.cleanups, fn) }
func (*exampleTB) Skip(...any)                  { runtime.Goexit() }
func (*exampleTB) Fatal(args ...any)            { log.Fatal(args...) }
func (*exampleTB) Errorf(text string, a ...any) { log.Fatalf(text, a...) }
func (*exampleTB) Fatalf(text string, a ...any) { log.Fatalf(text, a...) }
func (tb *exampleTB) end() {
	for i := len(tb.cleanups) - 1; i >= 0; i-- {
		tb.cleanups[i]()
	}
}

// finishes reports whether fn runs to its end.
func finishes(fn func(testing.TB)) (finished bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(&exampleTB{})
		finished = true
	}()
	<-done
	return finished
}
