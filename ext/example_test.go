package ext_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// exampleServer starts the server of the examples, which have no testing.TB to get one with.
var exampleServer = sync.OnceValues(func() (*sqltest.Instance, error) {
	return sqltest.Start(context.Background(), sqltest.StartOptions{})
})

// TestMain leaves the examples out where there is no server: the tests skip there.
func TestMain(m *testing.M) {
	flag.Parse()
	run := flag.Lookup("test.run")
	if run.Value.String() == "" && os.Getenv("PYCOPG_TEST_DSN") == "" {
		if _, err := exampleServer(); err != nil {
			run.Value.Set("^(Test|Fuzz)")
		}
	}
	os.Exit(m.Run()) // the server ends with the program
}

// exampleConfig leads to the examples' server.
func exampleConfig() *driver.Config {
	dsn := os.Getenv("PYCOPG_TEST_DSN")
	if dsn == "" {
		server, err := exampleServer()
		if err != nil {
			log.Fatal(err)
		}
		dsn = server.DSN("")
	}
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		log.Fatal(err)
	}
	return cfg
}

// examplePool is a pool of one connection to the examples' server.
func examplePool() *sql.DB {
	db := sql.OpenDB(driver.NewConnector(exampleConfig()))
	db.SetMaxOpenConns(1)
	return db
}

// exampleTx is a transaction on the examples' server.
func exampleTx() *sql.Tx {
	tx, err := examplePool().Begin()
	if err != nil {
		log.Fatal(err)
	}
	return tx
}

func ExampleQuery() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	type City struct {
		Name  string
		Tags  []string
		Since *int `db:"founded"`
	}
	cities, err := ext.Query[City](ctx, tx, `
		select * from (values ('Rome', '{old,big}'::text[], -753), ('Brasília', '{}', null)) as c (name, tags, founded)
		where name <> $1`, "Paris")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range cities {
		fmt.Println(c.Name, c.Tags, c.Since != nil)
	}
	// Output:
	// Rome [old big] true
	// Brasília [] false
}

func ExampleStream() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	sum := 0
	for n, err := range ext.Stream[int](ctx, tx, "select generate_series(1, 1000)") {
		if err != nil {
			log.Fatal(err)
		}
		sum += n
	}
	fmt.Println(sum)
	// Output: 500500
}

func ExampleUpsertMany() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	if _, err := ext.Exec(ctx, tx, "create temp table price (sku text primary key, cents int)"); err != nil {
		log.Fatal(err)
	}
	type Price struct {
		SKU   string
		Cents int
	}
	for _, prices := range [][]Price{{{"tea", 300}, {"jam", 450}}, {{"jam", 475}, {"bun", 120}}} {
		r, err := ext.UpsertMany(ctx, tx, "price", prices, ext.UpsertOptions{Conflict: []string{"sku"}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Inserted, "inserted,", r.Updated, "updated")
	}
	cents, err := ext.QueryVal[int](ctx, tx, "select cents from price where sku = $1", "jam")
	fmt.Println(cents, err)
	// Output:
	// 2 inserted, 0 updated
	// 1 inserted, 1 updated
	// 475 <nil>
}

func ExampleExecMany() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	if _, err := ext.Exec(ctx, tx, "create temp table log (at int, line text)"); err != nil {
		log.Fatal(err)
	}
	n, err := ext.ExecMany(ctx, tx, "insert into log values ($1, $2)", [][]any{{1, "up"}, {2, "down"}})
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExamplePaginate() {
	ctx, tx := context.Background(), exampleTx()
	defer tx.Rollback()
	type Row struct{ ID int }
	o := ext.PageOptions{Size: 2, Keys: []ext.PageKey{{Column: "id"}}}
	for more := true; more; {
		page, err := ext.Paginate[Row](ctx, tx, o, "select generate_series(1, 5) as id")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(page.Rows)
		o.After, more = page.Next, page.More
	}
	// Output:
	// [{1} {2}]
	// [{3} {4}]
	// [{5}]
}
