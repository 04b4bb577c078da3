package copyout

import (
	"context"
	"errors"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// Source is what is copied: a [Table] or a [Query].
type Source struct {
	table   string
	columns []string
	isQuery bool
	query   string
	args    []any
}

// Table is a table or view whose name is as [ext.ParseName] takes it, with the named columns or all, those that the server
// computes included.
func Table(name string, columns ...string) Source { return Source{table: name, columns: columns} }

// Query is the rows of a query: anything that COPY takes, a SELECT or a statement with RETURNING. The arguments are those of
// $1, $2, …, or of %s in a pool with placeholder=format; they become literals of the types that the server has for them, since
// COPY takes none.
func Query(sql string, args ...any) Source { return Source{isQuery: true, query: sql, args: args} }

// checked is the source with the Valuers among its arguments called: that may not happen while the connection is locked.
func (s Source) checked() (Source, error) {
	if s.isQuery {
		if strings.TrimSpace(s.query) == "" {
			return s, errors.New("the query is empty")
		}
		args, err := driver.ConvertArgs(s.args)
		s.args = args
		return s, err
	}
	if s.table == "" {
		return s, errors.New("the table's name is empty")
	}
	name, err := ext.ParseName(s.table)
	if err != nil {
		return s, err
	}
	columns := "*"
	if len(s.columns) > 0 {
		quoted := make([]string, len(s.columns))
		for i, c := range s.columns {
			if err := ext.CheckName(c); err != nil {
				return s, err
			}
			quoted[i] = ext.QuoteName(c)
		}
		columns = strings.Join(quoted, ", ")
	}
	s.query = "select " + columns + " from " + name.String()
	return s, nil
}

// text is the query with literals for its arguments.
func (s Source) text(ctx context.Context, c *driver.Conn) (string, error) {
	return c.CopyQuery(ctx, s.query, s.args)
}

// explain is an error of the server, for a table that does not exist with a word on the one that was meant.
func (s Source) explain(ctx context.Context, c *driver.Conn, err error) error {
	if s.table == "" || c.TxStatus() != 'I' || driver.SQLState(err) != "42P01" {
		return err
	}
	if name, perr := ext.ParseName(s.table); perr == nil {
		return ext.NoTable(ctx, c, name)
	}
	return err
}

// copyStatement is a COPY of a query's rows. A comment at the end of the query does not swallow what follows.
func copyStatement(query string, options ...string) string {
	text := "copy (" + query + "\n) to stdout"
	if len(options) > 0 {
		text += " (" + strings.Join(options, ", ") + ")"
	}
	return text
}
