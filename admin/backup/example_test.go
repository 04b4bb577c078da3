package backup_test

import (
	"context"
	"database/sql"
	"log"
	"os"

	"github.com/pycopg/pycopg/admin/backup"
	_ "github.com/pycopg/pycopg/driver"
)

func ExampleDump() {
	db, err := sql.Open("pycopg", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	err = backup.Dump(context.Background(), db, backup.DumpOptions{
		Path:     "shop.dump",
		Format:   backup.Directory,
		Jobs:     4,
		Progress: func(line string) { log.Print(line) },
	})
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleRestore() {
	db, err := sql.Open("pycopg", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	err = backup.Restore(context.Background(), db, backup.RestoreOptions{Path: "shop.dump", Clean: true, IfExists: true})
	if err != nil {
		log.Fatal(err)
	}
}
