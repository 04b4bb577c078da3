package copyout_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/internal/exampledb"
)

const exampleUsers = `create table users (id bigint, name text); insert into users values (1, 'Ada'), (2, 'Hopper, Grace'), (3, null)`

func ExampleCSV() {
	db, done := exampledb.Open(exampleUsers)
	defer done()
	n, err := copyout.CSV(context.Background(), db, copyout.Query("select * from users where id > $1 order by id", 1), os.Stdout, copyout.CSVOptions{Null: "-"})
	fmt.Println(n, err)
	// Output:
	// id,name
	// 2,"Hopper, Grace"
	// 3,-
	// 2 <nil>
}

func ExampleRows() {
	db, done := exampledb.Open(exampleUsers)
	defer done()
	type user struct {
		ID   int64
		Name sql.NullString
	}
	for u, err := range copyout.Rows[user](context.Background(), db, copyout.Table("users")) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(u.ID, u.Name.String)
	}
	// Output:
	// 1 Ada
	// 2 Hopper, Grace
	// 3
}

// A table is copied into another, of the same or another server.
func ExamplePipe() {
	db, done := exampledb.Open(exampleUsers + "; create table copied (like users)")
	defer done()
	n, err := copyout.Pipe(context.Background(),
		db, "copy users to stdout (format binary)",
		db, "copy copied from stdin (format binary)")
	fmt.Println(n, err)
	// Output: 3 <nil>
}
