package copyin_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"os"
	"strings"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/internal/exampledb"
)

func ExampleStructs() {
	db, done := exampledb.Open("create table users (id bigint primary key, name text, joined date)")
	defer done()
	type user struct {
		ID     int64
		Name   string
		Joined *time.Time // nil is NULL
	}
	n, err := copyin.Structs(context.Background(), db, "users", []user{{ID: 1, Name: "Ada"}, {ID: 2, Name: "Grace"}}, copyin.Options{})
	fmt.Println(n, err)
	// A failure names the row, and no row is kept.
	_, err = copyin.Structs(context.Background(), db, "users", []user{{ID: 3}, {ID: 1}}, copyin.Options{})
	var row *copyin.RowError
	if errors.As(err, &row) {
		fmt.Println("row", row.Row)
	}
	// Output:
	// 2 <nil>
	// row 2
}

func ExampleCSV() {
	db, done := exampledb.Open("create table users (id bigint primary key, name text)")
	defer done()
	const text = "Full name,id\nAda,1\n\"Hopper, Grace\",2\n"
	n, err := copyin.CSV(context.Background(), db, "users", strings.NewReader(text), copyin.CSVOptions{
		Mapping: map[string]string{"Full name": "name"},
	})
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleNewWriter() {
	db, done := exampledb.Open("create table squares (n int, square int)")
	defer done()
	w, err := copyin.NewWriter(context.Background(), db, "squares", copyin.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for n := range 1000 {
		if err := w.WriteRow(n, n*n); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Rows())
	// Output: 1000
}

// A file is loaded by several connections. Bad rows are left out and kept; after a crash, the same call goes on where the load
// stopped.
func ExampleLoad() {
	db, done := exampledb.Open("create table users (id bigint primary key, name text)")
	defer done()
	file, err := os.CreateTemp("", "users-*.csv")
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(file.Name())
	fmt.Fprint(file, "id,name\n1,Ada\ntwo,Grace\n3,Joan\n")
	file.Close()

	result, err := copyin.Load(context.Background(), db, "users", copyin.CSVFiles(copyin.CSVOptions{}, file.Name()), copyin.LoadOptions{
		ImportID:   "users of today",
		OnConflict: copyin.ConflictUpdate,
		OnBad:      copyin.BadCollect,
		Progress:   copyin.ProgressBar(os.Stderr),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Stored, "stored")
	for _, r := range result.Rejects {
		fmt.Printf("line %d, column %s, %q: %s\n", r.Err.Row, r.Err.Column, r.Err.Value, r.Record)
	}
	// Output:
	// 2 stored
	// line 3, column id, "two": two,Grace
}

// Rows that are computed are loaded while they are.
func ExampleSequence() {
	db, done := exampledb.Open("create table squares (n int, square int)")
	defer done()
	type square struct{ N, Square int }
	var rows iter.Seq2[square, error] = func(yield func(square, error) bool) {
		for n := range 100_000 {
			if !yield(square{n, n * 2}, nil) {
				return
			}
		}
	}
	result, err := copyin.Load(context.Background(), db, "squares", copyin.Sequence(rows), copyin.LoadOptions{Workers: 2})
	fmt.Println(result.Stored, err)
	// Output: 100000 <nil>
}
