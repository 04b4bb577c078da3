// Command readme is the program of the README: it asks the server of DATABASE_URL for its version.
package main

import (
	"database/sql"
	"log"
	"os"

	_ "github.com/pycopg/pycopg/driver"
)

func main() {
	db, err := sql.Open("pycopg", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	var version string
	err = db.QueryRow("select version()").Scan(&version)
	log.Println(version, err)
}
