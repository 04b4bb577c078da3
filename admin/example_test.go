package admin_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
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

// exampleTx is a transaction on the examples' server.
func exampleTx() *sql.Tx {
	dsn := os.Getenv("PYCOPG_TEST_DSN")
	if dsn == "" {
		server, err := exampleServer()
		if err != nil {
			log.Fatal(err)
		}
		dsn = server.DSN("")
	}
	db, err := sql.Open("pycopg", dsn)
	if err != nil {
		log.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		log.Fatal(err)
	}
	return tx
}

func ExampleCreateTable() {
	ctx := context.Background()
	db := exampleTx() // any *sql.DB, *sql.Conn or *sql.Tx
	defer db.Rollback()

	created, err := admin.CreateTable(ctx, db, "products", []admin.ColumnDef{
		{Name: "id", Type: "serial primary key"},
		{Name: "name", Type: "text not null"},
		{Name: "price", Type: "decimal(10,2)", Default: "0", Check: "price >= 0"},
	}, admin.TableOptions{IfNotExists: true, Comment: "what we sell"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("created:", created)

	index, _, err := admin.CreateIndex(ctx, db, "products", admin.Keys("name"), admin.IndexOptions{Unique: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("index:", index)

	columns, err := admin.TableInfo(ctx, db, "products")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range columns {
		fmt.Println(c.Name, c.Type, c.Nullable)
	}
	// Output:
	// created: true
	// index: products_name_idx
	// id integer false
	// name text false
	// price numeric(10,2) true
}

func ExampleCreateTableFor() {
	type user struct {
		ID      int64     `ddl:"identity,primarykey"`
		Email   string    `ddl:"unique,check=email <> ''"`
		Tags    []string  // text[]
		Created time.Time `ddl:"default=now()"`
	}
	ctx := context.Background()
	db := exampleTx()
	defer db.Rollback()

	if _, err := admin.CreateTableFor[user](ctx, db, "users", admin.TableOptions{}); err != nil {
		log.Fatal(err)
	}
	columns, err := admin.ColumnsWithTypes(ctx, db, "users")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(columns)
	// Output: [{id bigint} {email text} {tags text[]} {created timestamp with time zone}]
}

func ExampleGrant() {
	ctx := context.Background()
	db := exampleTx()
	defer db.Rollback()

	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	_, err := admin.CreateTable(ctx, db, "orders", []admin.ColumnDef{{Name: "id", Type: "int"}}, admin.TableOptions{})
	check(err)
	_, err = admin.CreateRole(ctx, db, "example_app", admin.RoleOptions{Login: true, Password: "no log of the server shows it"})
	check(err)
	check(admin.Grant(ctx, db, "insert, update", admin.Tables("orders"), "example_app", admin.GrantOptions{}))

	grants, err := admin.ListRoleGrants(ctx, db, "example_app", admin.ListOptions{})
	check(err)
	for _, g := range grants {
		fmt.Println(g.Privilege, "on", g.Kind, g.Name)
	}
	// Output:
	// INSERT on table orders
	// UPDATE on table orders
}

func ExampleAlterRole() {
	ctx := context.Background()
	db := exampleTx()
	defer db.Rollback()

	if _, err := admin.CreateRole(ctx, db, "example_old", admin.RoleOptions{}); err != nil {
		log.Fatal(err)
	}
	login := true
	if err := admin.AlterRole(ctx, db, "example_old", admin.RoleChange{Rename: "example_new", Login: &login}); err != nil {
		log.Fatal(err)
	}
	dropped, err := admin.DropRole(ctx, db, "example_new", admin.DropRoleOptions{DropOwned: true})
	fmt.Println(dropped, err)
	// Output: true <nil>
}
