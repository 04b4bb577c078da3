package mock_test

import (
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
)

const (
	copyFrom = `(?i)^copy "users" .*from stdin`
	copyTo   = `(?i)^copy .*to stdout`
)

// scratchFile runs with a file that holds text, and removes it.
func scratchFile(text string, run func(name string) error) error {
	dir, err := os.MkdirTemp("", "mock")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "users.csv")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return err
	}
	return run(name)
}

const usersCSV = "id,name\n1,ann\n2,bob\n"

var copyCases = map[string]handleCase{
	"copyin.Structs": {expect: execs(copyFrom, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyin.Structs(ctx, db, "users", users, copyin.Options{})
		return want(n, err, 2)
	}},
	"copyin.StructsSeq": {expect: execs(copyFrom, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyin.StructsSeq(ctx, db, "users", sequence(users...), copyin.Options{})
		return want(n, err, 2)
	}},
	"copyin.Rows": {expect: execs(copyFrom, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyin.Rows(ctx, db, "users", [][]any{{1, "ann"}, {2, "bob"}}, copyin.Options{Columns: []string{"id", "name"}})
		return want(n, err, 2)
	}},
	"copyin.Maps": {expect: execs(copyFrom, 1), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyin.Maps(ctx, db, "users", []map[string]any{{"id": 1, "name": "ann"}}, copyin.Options{})
		return want(n, err, 1)
	}},
	"copyin.CSV": {expect: execs(copyFrom, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyin.CSV(ctx, db, "users", strings.NewReader(usersCSV), copyin.CSVOptions{})
		return want(n, err, 2)
	}},
	"copyin.CSVFile": {expect: execs(copyFrom, 2), run: func(ctx context.Context, db *sql.DB) error {
		return scratchFile(usersCSV, func(name string) error {
			n, err := copyin.CSVFile(ctx, db, "users", name, copyin.CSVOptions{})
			return want(n, err, 2)
		})
	}},
	"copyin.From": {expect: execs(`(?i)^copy users from stdin`, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyin.From(ctx, db, "copy users from stdin", strings.NewReader("1\tann\n2\tbob\n"))
		return want(n, err, 2)
	}},
	"copyin.NewWriter": {expect: execs(copyFrom, 2), run: func(ctx context.Context, db *sql.DB) error {
		w, err := copyin.NewWriter(ctx, db, "users", copyin.Options{Columns: []string{"id", "name"}})
		if err != nil {
			return err
		}
		if err := w.WriteRow(1, "ann"); err != nil {
			return err
		}
		return want(w.Rows(), w.Close(), w.Rows())
	}},
	"copyout.To": {expect: execs(copyTo, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyout.To(ctx, db, "copy users to stdout", io.Discard)
		return want(n, err, 2)
	}},
	"copyout.CSV": {expect: execs(copyTo, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := copyout.CSV(ctx, db, copyout.Table("users"), io.Discard, copyout.CSVOptions{})
		return want(n, err, 2)
	}},
	"copyout.CSVFile": {expect: execs(copyTo, 2), run: func(ctx context.Context, db *sql.DB) error {
		return scratchFile("", func(name string) error {
			n, err := copyout.CSVFile(ctx, db, copyout.Table("users"), name, copyout.CSVOptions{})
			return want(n, err, 2)
		})
	}},
	"copyout.NewReader": {expect: execs(copyTo, 2), run: func(ctx context.Context, db *sql.DB) error {
		r, err := copyout.NewReader(ctx, db, "copy users to stdout")
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		return want(r.Rows(), r.Close(), 2)
	}},
	"copyout.Rows": {noRows: true, expect: execs(copyTo, 0), run: func(ctx context.Context, db *sql.DB) error {
		n := 0
		for _, err := range copyout.Rows[map[string]any](ctx, db, copyout.Table("users")) {
			if err != nil {
				return err
			}
			n++
		}
		return want(n, nil, 0)
	}},
	"copyout.Pipe": {
		expect: func(m sqlmock.Sqlmock) {
			m.MatchExpectationsInOrder(false) // two connections at a time
			execs(copyTo, 2)(m)
			execs("(?i)^copy users from stdin", 2)(m)
		},
		run: func(ctx context.Context, db *sql.DB) error {
			n, err := copyout.Pipe(ctx, db, "copy users to stdout", db, "copy users from stdin")
			return want(n, err, 2)
		},
	},
}
