package copyin

import (
	"context"
	"fmt"
	"slices"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// column is a column of the table that is filled.
type column struct {
	name      string
	oid       uint32 // of its type
	generated bool   // the server computes it
}

// target is what a COPY fills.
type target struct {
	table   ext.Name
	columns []column
}

const columnsQuery = `
	select attname::text, atttypid::int8, %s
	from pg_catalog.pg_attribute
	where attrelid = pg_catalog.to_regclass($1) and attnum > 0 and not attisdropped
	order by attnum`

// lookUp asks for a table's columns. It is asked each time: a binary COPY for types that are no more could store other
// values without an error.
func lookUp(ctx context.Context, c *driver.Conn, table ext.Name) (*target, error) {
	const firstWithGenerated = 120000
	generated := "false"
	if c.Info().VersionNum >= firstWithGenerated {
		generated = "attgenerated <> ''"
	}
	rows, err := ext.Catalog(ctx, c, fmt.Sprintf(columnsQuery, generated), table.String())
	if err != nil {
		return nil, err
	}
	t := &target{table: table}
	for _, row := range rows {
		oid, _ := row[1].(int64)
		isGenerated, _ := row[2].(bool)
		t.columns = append(t.columns, column{name: fmt.Sprintf("%s", row[0]), oid: uint32(oid), generated: isGenerated})
	}
	if len(rows) > 0 {
		return t, nil
	}
	exists, err := ext.Catalog(ctx, c, "select pg_catalog.to_regclass($1) is not null", table.String())
	if err != nil {
		return nil, err
	}
	if found, _ := exists[0][0].(bool); !found {
		return nil, ext.NoTable(ctx, c, table)
	}
	return t, nil
}

// find is the column of a name.
func (t *target) find(name string) (column, error) {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return column{}, fmt.Errorf("table %s has no column %q", t.table, name)
	}
	return t.columns[i], nil
}

// pick is the columns with the names, all that are not generated where names is nil.
func (t *target) pick(names []string) ([]column, error) {
	var picked []column
	if names == nil {
		for _, c := range t.columns {
			if !c.generated {
				picked = append(picked, c)
			}
		}
		return picked, nil
	}
	for _, name := range names {
		c, err := t.find(name)
		if err != nil {
			return nil, err
		}
		picked = append(picked, c)
	}
	return picked, nil
}

func names(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}
