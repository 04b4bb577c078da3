package copyin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

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
	epoch   uint64 // of the schema, as far as the pool sees its changes
}

// columnsQuery asks for a table's columns.
func columnsQuery(c *driver.Conn) string {
	const firstWithGenerated = 120000
	generated := "'false'"
	if c.Info().VersionNum >= firstWithGenerated {
		generated = "(attgenerated <> '')::text"
	}
	return `
	select attname::text, atttypid::text, ` + generated + `
	from pg_catalog.pg_attribute
	where attrelid = pg_catalog.to_regclass($1) and attnum > 0 and not attisdropped
	order by attnum`
}

// columnsOf are the rows of columnsQuery.
func columnsOf(rows [][]string) []column {
	columns := make([]column, len(rows))
	for i, row := range rows {
		oid, _ := strconv.ParseUint(row[1], 10, 32)
		columns[i] = column{name: row[0], oid: uint32(oid), generated: row[2] == "true"}
	}
	return columns
}

// lookUp asks for a table's columns, in a round trip of its own. What it is told is remembered, for a guess at the format of the
// next COPY into the table, and not more: a binary COPY for types that are no more could store other values without an error.
func lookUp(ctx context.Context, c *driver.Conn, table ext.Name) (*target, error) {
	epoch, _ := c.SchemaEpoch()
	found, err := ext.Catalog(ctx, c, columnsQuery(c), table.String())
	if err != nil {
		return nil, err
	}
	rows := make([][]string, len(found))
	for i, row := range found {
		for _, v := range row {
			rows[i] = append(rows[i], fmt.Sprintf("%s", v)) // compat=pq may give bytes
		}
	}
	t := &target{table: table, columns: columnsOf(rows), epoch: epoch}
	if len(rows) > 0 {
		known(c).put(t)
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

// knownTables are tables that a pool has copied into.
type knownTables struct {
	mu     sync.Mutex
	byName map[ext.Name]*target
}

// maxKnown is how many tables are remembered. Beyond it all are forgotten: programs that make a table for each load come here.
const maxKnown = 512

func (k *knownTables) put(t *target) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.byName) >= maxKnown {
		clear(k.byName)
	}
	k.byName[t.table] = t
}

func (k *knownTables) get(table ext.Name) *target {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byName[table]
}

type knownKey struct{}

func known(c *driver.Conn) *knownTables {
	return c.Connector().Shared(knownKey{}, func() any { return &knownTables{byName: map[ext.Name]*target{}} }).(*knownTables)
}

// recall is what the pool was told of a table, nil where it has not asked, or has altered something since.
func recall(c *driver.Conn, table ext.Name) *target {
	if t := known(c).get(table); t != nil {
		if epoch, same := c.SchemaEpoch(); same && epoch == t.epoch {
			return t
		}
	}
	return nil
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
