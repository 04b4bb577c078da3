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

var copyCases = map[string]plainCall{
	"copyin.Structs": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyin.Structs(ctx, db, "users", users, copyin.Options{})
		return want(n, err, 2)
	},
	"copyin.StructsSeq": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyin.StructsSeq(ctx, db, "users", sequence(users...), copyin.Options{})
		return want(n, err, 2)
	},
	"copyin.Rows": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyin.Rows(ctx, db, "users", [][]any{{1, "ann"}, {2, "bob"}}, copyin.Options{Columns: []string{"id", "name"}})
		return want(n, err, 2)
	},
	"copyin.Maps": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 1))
		n, err := copyin.Maps(ctx, db, "users", []map[string]any{{"id": 1, "name": "ann"}}, copyin.Options{})
		return want(n, err, 1)
	},
	"copyin.CSV": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyin.CSV(ctx, db, "users", strings.NewReader(usersCSV), copyin.CSVOptions{})
		return want(n, err, 2)
	},
	"copyin.CSVFile": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		return scratchFile(usersCSV, func(name string) error {
			n, err := copyin.CSVFile(ctx, db, "users", name, copyin.CSVOptions{})
			return want(n, err, 2)
		})
	},
	"copyin.From": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy users from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyin.From(ctx, db, "copy users from stdin", strings.NewReader("1\tann\n2\tbob\n"))
		return want(n, err, 2)
	},
	"copyin.NewWriter": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy "users" .*from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		w, err := copyin.NewWriter(ctx, db, "users", copyin.Options{Columns: []string{"id", "name"}})
		if err != nil {
			return err
		}
		if err := w.WriteRow(1, "ann"); err != nil {
			return err
		}
		err = w.Close()
		return want(w.Rows(), err, 2)
	},
	"copyout.To": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy .*to stdout`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyout.To(ctx, db, "copy users to stdout", io.Discard)
		return want(n, err, 2)
	},
	"copyout.CSV": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy .*to stdout`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyout.CSV(ctx, db, copyout.Table("users"), io.Discard, copyout.CSVOptions{})
		return want(n, err, 2)
	},
	"copyout.CSVFile": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy .*to stdout`).WillReturnResult(sqlmock.NewResult(0, 2))
		return scratchFile("", func(name string) error {
			n, err := copyout.CSVFile(ctx, db, copyout.Table("users"), name, copyout.CSVOptions{})
			return want(n, err, 2)
		})
	},
	"copyout.NewReader": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy .*to stdout`).WillReturnResult(sqlmock.NewResult(0, 2))
		r, err := copyout.NewReader(ctx, db, "copy users to stdout")
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		n, err := r.Rows(), r.Close()
		return want(n, err, 2)
	},
	"copyout.Rows": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`(?i)^copy .*to stdout`).WillReturnResult(sqlmock.NewResult(0, 0))
		n := 0
		for _, err := range copyout.Rows[map[string]any](ctx, db, copyout.Table("users")) {
			if err != nil {
				return err
			}
			n++
		}
		return want(n, nil, 0)
	},
	"copyout.Pipe": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.MatchExpectationsInOrder(false) // two connections at a time
		m.ExpectExec(`(?i)^copy .*to stdout`).WillReturnResult(sqlmock.NewResult(0, 2))
		m.ExpectExec("(?i)^copy users from stdin").WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := copyout.Pipe(ctx, db, "copy users to stdout", db, "copy users from stdin")
		return want(n, err, 2)
	},
}
