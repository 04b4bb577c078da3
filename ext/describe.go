package ext

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
)

// Description is what the server says of a statement without running it.
type Description struct {
	Params  []Param  // in the order of $1, $2, …
	Columns []Column // of the result, nil when the statement returns no rows
}

// Param describes a parameter.
type Param struct {
	OID  uint32 // of its type
	Type string // as format_type gives it: integer, character varying, app.mood
}

// Column describes a result column.
type Column struct {
	Name      string
	OID       uint32 // of its type
	Type      string // as format_type gives it, with the modifier: numeric(10,2)
	Table     uint32 // OID of the table that the column is taken from, 0 for an expression
	Attribute uint16 // the column's number in that table, 0 for an expression
	TypeMod   int32  // pg_attribute.atttypmod, -1 for none
}

// Describe asks the server for the parameters and result columns of a statement, which is parsed and not run. It costs two
// round trips. On a mock nothing is asked, and the description is empty.
func Describe(ctx context.Context, q Querier, sql string) (Description, error) {
	var d Description
	_, err := driver.Do(ctx, q, sql, func(ctx context.Context, c *driver.Conn) (int64, error) {
		raw, err := c.Describe(ctx, sql)
		if err != nil {
			return 0, err
		}
		d = described(raw)
		return 0, d.nameTypes(ctx, c)
	})
	if err != nil {
		return Description{}, fmt.Errorf("ext: describe: %w", err)
	}
	return d, nil
}

func described(raw driver.Description) (d Description) {
	for _, oid := range raw.Params {
		d.Params = append(d.Params, Param{OID: oid})
	}
	for _, c := range raw.Columns {
		d.Columns = append(d.Columns, Column{Name: c.Name, OID: c.OID, Table: c.Table, Attribute: c.Attribute, TypeMod: c.TypeMod})
	}
	return d
}

// nameTypes asks for the names of all types at once.
func (d *Description) nameTypes(ctx context.Context, c *driver.Conn) error {
	var oids, mods []string
	for _, p := range d.Params {
		oids, mods = append(oids, strconv.FormatUint(uint64(p.OID), 10)), append(mods, "-1")
	}
	for _, col := range d.Columns {
		oids, mods = append(oids, strconv.FormatUint(uint64(col.OID), 10)), append(mods, strconv.Itoa(int(col.TypeMod)))
	}
	if oids == nil {
		return nil
	}
	rows, err := catalog(ctx, c, `
		select pg_catalog.format_type(t.oid, t.mod)
		from rows from (unnest($1::oid[]), unnest($2::int4[])) with ordinality as t(oid, mod, n)
		order by t.n`, braces(oids), braces(mods))
	if err != nil {
		return err
	}
	if len(rows) != len(oids) {
		return errors.New("the server named other types than it was asked for")
	}
	for i := range rows {
		name, _ := rows[i][0].(string)
		if i < len(d.Params) {
			d.Params[i].Type = name
		} else {
			d.Columns[i-len(d.Params)].Type = name
		}
	}
	return nil
}

// braces is an array of numbers as text.
func braces(numbers []string) string { return "{" + strings.Join(numbers, ",") + "}" }

// catalog runs a query in a function of driver.Do and returns its rows. The arguments are texts.
func catalog(ctx context.Context, c *driver.Conn, query string, args ...any) (all [][]sqldriver.Value, err error) {
	named := make([]sqldriver.NamedValue, len(args))
	for i, v := range args {
		named[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: v}
	}
	// The options that the caller's context carries are for the caller's statement.
	rows, err := c.QueryContext(driver.WithHelperOptions(ctx), query, named)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for {
		row := make([]sqldriver.Value, len(rows.Columns()))
		switch err := rows.Next(row); err {
		case nil:
			all = append(all, row)
		case io.EOF:
			return all, nil
		default:
			return nil, err
		}
	}
}
