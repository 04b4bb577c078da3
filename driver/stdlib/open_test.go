package stdlib_test

import (
	"database/sql"
	"slices"
	"testing"

	sqldriver "database/sql/driver"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver/stdlib"
	"github.com/pycopg/pycopg/sqltest"
)

func TestOpenDBConnectsWithTheConfiguration(t *testing.T) {
	t.Parallel()
	c := config(t, "application_name=moved", "search_path=pg_catalog")
	db := closed(t, stdlib.OpenDB(*c))
	if got := value[string](t, db, "show application_name"); got != "moved" {
		t.Errorf("application_name = %q", got)
	}
	if got := value[string](t, db, "show search_path"); got != "pg_catalog" {
		t.Errorf("search_path = %q", got)
	}
	if _, ok := db.Driver().(*stdlib.Driver); !ok {
		t.Errorf("Driver() is a %T", db.Driver())
	}
}

func TestPgxNamesOpenTheDriver(t *testing.T) {
	t.Parallel()
	dsn := extended(t, sqltest.DSN(t, sqltest.Options{}), "application_name=registered")
	registered := stdlib.RegisterConnConfig(parse(t, dsn))
	t.Cleanup(func() { stdlib.UnregisterConnConfig(registered) })
	for _, name := range []string{"pgx", "pgx/v5", "pycopg"} {
		if !slices.Contains(sql.Drivers(), name) {
			t.Errorf("%q is not registered", name)
			continue
		}
		for _, source := range []string{dsn, registered} {
			db, err := sql.Open(name, source)
			if err != nil {
				t.Errorf("Open(%q): %v", name, err)
				continue
			}
			if got := value[string](t, closed(t, db), "show application_name"); got != "registered" {
				t.Errorf("Open(%q, %q): application_name = %q", name, source, got)
			}
		}
	}
}

func TestUnregisteredNamesAreUnknown(t *testing.T) {
	t.Parallel()
	c := config(t)
	name := stdlib.RegisterConnConfig(c)
	if other := stdlib.RegisterConnConfig(c); other == name {
		t.Errorf("two registrations share the name %q", name)
	} else {
		stdlib.UnregisterConnConfig(other)
	}
	before, err := sql.Open("pycopg", name)
	if err != nil {
		t.Fatal(err)
	}
	stdlib.UnregisterConnConfig(name)
	stdlib.UnregisterConnConfig(name)
	if got := value[int](t, closed(t, before), "select 1"); got != 1 {
		t.Errorf("select 1 = %d on a handle opened before", got)
	}
	if db, err := sql.Open("pycopg", name); err == nil {
		db.Close()
		t.Error("Open with the name of no registration succeeded")
	}
}

func TestDefaultDriverOpensConnections(t *testing.T) {
	t.Parallel()
	d := stdlib.GetDefaultDriver()
	conn, err := d.Open(extended(t, sqltest.DSN(t, sqltest.Options{}), "column_scanner=off"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, ok := conn.(*stdlib.Conn)
	if !ok {
		t.Fatalf("Open returned a %T", conn)
	}
	st, err := c.PrepareContext(t.Context(), "select 7")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, ok := st.(*stdlib.Stmt); !ok {
		t.Errorf("PrepareContext returned a %T", st)
	}
	rows, err := st.(sqldriver.StmtQueryContext).QueryContext(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if _, ok := rows.(*stdlib.Rows); !ok {
		t.Errorf("QueryContext returned a %T", rows)
	}
}

func TestRawLeadsToThePgxConnection(t *testing.T) {
	t.Parallel()
	db := open(t)
	conn := one(t, db)
	mustExec(t, conn, "create table item (id int, name text)")
	raw(t, conn, func(px *pgx.Conn) error {
		n, err := px.CopyFrom(t.Context(), pgx.Identifier{"item"}, []string{"id", "name"},
			pgx.CopyFromRows([][]any{{1, "one"}, {2, "two"}, {3, nil}}))
		if n != 3 {
			t.Errorf("CopyFrom = %d", n)
		}
		return err
	})
	if got := value[int](t, conn, "select count(*) from item where name is not null"); got != 2 {
		t.Errorf("%d rows have a name, want 2", got)
	}
}

func TestRawInATransactionBelongsToIt(t *testing.T) {
	t.Parallel()
	db := open(t)
	mustExec(t, db, "create table item (id int)")
	conn := one(t, db)
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw(t, conn, func(px *pgx.Conn) error {
		_, err := px.CopyFrom(t.Context(), pgx.Identifier{"item"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}}))
		return err
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := value[int](t, db, "select count(*) from item"); got != 0 {
		t.Errorf("%d rows after the rollback", got)
	}
}

func TestWaitForNotificationWorksThroughRaw(t *testing.T) {
	t.Parallel()
	db := open(t)
	conn := one(t, db)
	mustExec(t, conn, "listen news")
	mustExec(t, db, "notify news, 'hello'")
	mustExec(t, conn, "select 1")
	raw(t, conn, func(px *pgx.Conn) error {
		n, err := px.WaitForNotification(t.Context())
		if err == nil && n.Payload != "hello" {
			t.Errorf("payload = %q", n.Payload)
		}
		return err
	})
}
