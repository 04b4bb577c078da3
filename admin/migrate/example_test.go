package migrate_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"testing/fstest"

	"github.com/pycopg/pycopg/admin/migrate"
	_ "github.com/pycopg/pycopg/driver"
)

func ExampleUp() {
	db, err := sql.Open("pycopg", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	steps, err := migrate.Up(context.Background(), db, os.DirFS("migrations"), migrate.Options{
		OnStart: func(s migrate.Step) { log.Println(s) },
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Println(len(steps), "migrations applied")
}

func ExampleLoad() {
	files := fstest.MapFS{
		"001_create_users.sql": {Data: []byte("-- UP\ncreate table users (id int);\n\n-- DOWN\ndrop table users;\n")},
		"002_fill.sql":         {Data: []byte("insert into users values (1);\n")},
	}
	migrations, err := migrate.Load(files)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range migrations {
		fmt.Println(m, "- way back:", m.Down.SQL != "")
	}
	// Output:
	// 001_create_users - way back: true
	// 002_fill - way back: false
}
