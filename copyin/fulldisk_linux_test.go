package copyin_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/sqltest"
)

// smallDisk mounts a file system of so many MiB for tablespaces of a server.
func smallDisk(t *testing.T, in *sqltest.Instance, db *sql.DB, size int) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(in.Dir(), "disk")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", size)); err != nil {
		t.Skipf("no small disk, only who may mount one can make it: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	owner, err := os.Stat(word(t, db, "show data_directory"))
	if err != nil {
		t.Fatal(err)
	}
	st := owner.Sys().(*syscall.Stat_t)
	if err := os.Chown(dir, int(st.Uid), int(st.Gid)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFullDiskKeepsNothing(t *testing.T) {
	t.Parallel()
	sqltest.Server(t)
	in, err := sqltest.Start(context.Background(), sqltest.StartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	db, err := sql.Open("pycopg", in.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create tablespace small location '"+smallDisk(t, in, db, 1)+"'")
	const table = "create table item (id int, name text) tablespace small"
	mustExec(t, db, table)
	const many = 40_000 // 2 MB
	pid := word(t, db, "select pg_backend_pid()")
	check := func(name string, n int64, err error) {
		t.Helper()
		var row *copyin.RowError
		if n != 0 || sqlState(err) != "53100" {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if errors.As(err, &row) && row.Row < 1000 {
			t.Errorf("%s: row %d", name, row.Row)
		}
		if got := word(t, db, "select count(*) || ' ' || pg_backend_pid() from item"); got != "0 "+pid {
			t.Errorf("%s: rows and process are %s, want 0 %s", name, got, pid)
		}
		mustExec(t, db, "drop table item") // gives the space back
		mustExec(t, db, table)
	}
	for name, load := range loaders {
		n, err := load(t.Context(), db, many)
		check(name, n, err)
	}
	for _, bad := range []copyin.BadRow{copyin.BadStop, copyin.BadSkip} {
		r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(many)), copyin.CSVOptions{}), copyin.LoadOptions{OnBad: bad})
		if r.Rejected > 0 {
			t.Errorf("Load takes %d rows for bad", r.Rejected)
		}
		check("Load", r.Stored, err)
	}
	r, err := copyin.Load(t.Context(), db, "item", copyin.CSVReader(strings.NewReader(csvText(many)), copyin.CSVOptions{}), copyin.LoadOptions{BatchRows: 1000})
	if sqlState(err) != "53100" || r.Stored == 0 || word(t, db, "select count(*) from item") != fmt.Sprint(r.Stored) {
		t.Errorf("Load in batches: %+v, %v", r, err)
	}
}
